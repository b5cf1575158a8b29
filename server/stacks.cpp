#include "server/stacks.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <vector>

#include "protocol/utf8.hpp"
#include "server/spawn.hpp"

extern char** environ;

namespace hearth::server {
namespace fs = std::filesystem;
namespace {

constexpr auto patience =
    std::chrono::seconds(20);  // reading the symbols of a large program takes gdb some
constexpr std::size_t most_text = 256 * 1024;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// "S (sleeping)".
std::string state_in(const fs::path& status_file) {
  std::ifstream in(status_file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("State:\t")) return line.substr(7);
  }
  return "?";
}

// The debugger's pid, or -1.
pid_t start_debugger(pid_t of, int out) {
  const std::string pid = std::to_string(of);
  const char* const arguments[] = {"gdb",
                                   "-nx",
                                   "-batch",
                                   "-iex",
                                   "set auto-load off",
                                   "-iex",
                                   "set debuginfod enabled off",
                                   "-ex",
                                   "set width 0",
                                   "-ex",
                                   "thread apply all bt 60",
                                   "-p",
                                   pid.c_str(),
                                   nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t debugger = -1;
  if (posix_spawnp(&debugger, "gdb", &actions, &attributes, const_cast<char* const*>(arguments),
                   environ) != 0) {
    debugger = -1;
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return debugger;
}

}  // namespace

std::string describe_threads(const fs::path& process) {
  std::string text;
  std::error_code failed;
  for (const auto& task : fs::directory_iterator(process / "task", failed)) {
    std::string place = first_line(task.path() / "wchan");
    if (place.empty() || place == "0") place = "nothing";
    text += "Thread " + task.path().filename().string() + " (" +
            protocol::as_utf8(first_line(task.path() / "comm")) + "): state " +
            state_in(task.path() / "status") + ", waits in the kernel for " +
            protocol::as_utf8(place) + '\n';
  }
  return text;
}

std::string_view stacks_in(std::string_view debugger_output) {
  const std::size_t first = debugger_output.find("\nThread ");
  if (first == std::string_view::npos ||
      debugger_output.find("\n#0 ", first) == std::string_view::npos)
    return {};
  debugger_output.remove_prefix(first + 1);
  // What follows the last stack: "[Inferior 1 (process 42) detached]".
  return debugger_output.substr(0, debugger_output.find("\n[Inferior "));
}

StackReader::StackReader(pid_t of, Orphans& orphans, Time now)
    : m_of(of), m_orphans(orphans), m_since(now) {
  auto pipe = make_pipe();
  if (!pipe) return;
  m_debugger = start_debugger(of, pipe->theirs.get());
  if (m_debugger < 0) return;
  m_orphans.started(m_debugger);
  m_out = std::move(pipe->ours);
}

StackReader::~StackReader() {
  if (m_debugger > 0 && m_orphans.is_known(m_debugger)) kill(m_debugger, SIGKILL);
}

std::optional<std::string> StackReader::poll(Time now) {
  char buffer[16 * 1024];
  ssize_t got = m_out ? 1 : 0;
  while (got > 0 && m_text.size() < most_text) {
    got = read(m_out.get(), buffer, sizeof buffer);
    if (got > 0) m_text.append(buffer, static_cast<std::size_t>(got));
  }
  const bool more_to_come = got < 0 && (errno == EAGAIN || errno == EINTR);
  if (more_to_come && now - m_since < patience) return std::nullopt;
  m_out.reset();
  if (const auto stacks = stacks_in(m_text); !stacks.empty())
    return protocol::as_utf8(stacks) + '\n';
  return describe_threads("/proc/" + std::to_string(m_of)) +
         "(The stacks could not be read: that takes a gdb which may trace this process.)\n";
}

}  // namespace hearth::server
