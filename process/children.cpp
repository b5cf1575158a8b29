#include "process/children.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hearth::process {
namespace {

constexpr int max_kill_rounds = 10000;
constexpr std::size_t most_environment = std::size_t{8} << 20;  // the kernel takes 6 MiB at most

// The first `limit` bytes of /proc/PID/FILE.
std::string read_proc(pid_t pid, const char* file, std::size_t limit) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", static_cast<int>(pid), file);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  std::size_t used = 0;
  while (used < limit) {
    if (used == text.size()) text.resize(std::min(limit, std::max<std::size_t>(4096, 2 * used)));
    const ssize_t got = read(fd, text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  close(fd);
  text.resize(used);
  return text;
}

bool is_daemon(pid_t pid) {
  return read_proc(pid, "comm", 64) == std::string(daemon_name) + '\n';
}

}  // namespace

void write_marker(char* digits, std::uint64_t execution) {
  for (std::size_t i = marker_digits; i-- > 0; execution >>= 4) {
    digits[i] = "0123456789abcdef"[execution & 0xf];
  }
}

bool become_subreaper(bool on) {
  return prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0) == 0;
}

bool is_subreaper() {
  int on = 0;
  return prctl(PR_GET_CHILD_SUBREAPER, &on) == 0 && on != 0;
}

bool die_with_parent(int signal, pid_t parent) {
  return prctl(PR_SET_PDEATHSIG, signal) == 0 && getppid() == parent;
}

int open_children_list() {
  const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  return fd;
}

std::vector<pid_t> read_children(int children_list) {
  std::vector<pid_t> pids;
  char buffer[4096];
  off_t offset = 0;
  std::string text;
  while (children_list >= 0) {
    const ssize_t got = pread(children_list, buffer, sizeof buffer, offset);
    if (got <= 0) break;
    offset += got;
    text.append(buffer, static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < sizeof buffer / 2) break;
  }
  for (const char* at = text.c_str(); *at != '\0';) {
    char* end = nullptr;
    const long pid = std::strtol(at, &end, 10);
    if (end == at) break;
    pids.push_back(static_cast<pid_t>(pid));
    at = end + std::strspn(end, " ");
  }
  return pids;
}

std::optional<std::uint64_t> marker_of(pid_t pid) {
  const std::string environment = read_proc(pid, "environ", most_environment);
  const std::string wanted = std::string(marker_variable) + '=';
  for (std::size_t at = 0; at < environment.size();) {
    const std::size_t end = std::min(environment.find('\0', at), environment.size());
    if (environment.compare(at, wanted.size(), wanted) == 0 &&
        end - at == wanted.size() + marker_digits) {
      const auto execution =
          std::strtoull(environment.substr(at + wanted.size(), marker_digits).c_str(), nullptr, 16);
      if (execution != 0) return execution;
    }
    at = end + 1;
  }
  return std::nullopt;
}

namespace {

// In the middle of an exec a process has none: its descriptors are closed already, and its new
// memory has nothing yet.
std::string environment_after_exec(pid_t pid) {
  constexpr int most_looks = 200;
  constexpr int between = 1;  // ms
  std::string environment = read_proc(pid, "environ", most_environment);
  for (int look = 0; environment.empty() && look < most_looks && !is_zombie(pid); ++look) {
    poll(nullptr, 0, between);
    environment = read_proc(pid, "environ", most_environment);
  }
  return environment;
}

}  // namespace

bool is_marked_without(pid_t pid, const std::string& variable) {
  const std::string environment = '\0' + environment_after_exec(pid);
  const auto has = [&](const std::string& name) {
    return environment.find('\0' + name + '=') != std::string::npos;
  };
  return has(marker_variable) && !has(variable);
}

std::string command_of(pid_t pid) {
  std::string command = read_proc(pid, "cmdline", 200);
  if (command.empty()) {
    command = read_proc(pid, "comm", 64);
    if (!command.empty() && command.back() == '\n') command.pop_back();
    return '[' + command + ']';
  }
  while (!command.empty() && command.back() == '\0') command.pop_back();
  std::replace(command.begin(), command.end(), '\0', ' ');
  return command;
}

bool is_symbolizer(std::string_view command) {
  std::string_view name = command.substr(0, command.find(' '));
  name.remove_prefix(name.find_last_of("/[") + 1);
  return name.substr(0, 15) == "llvm-symbolizer" || name.substr(0, 9) == "addr2line";
}

bool is_zombie(pid_t pid) {
  const std::string stat = read_proc(pid, "stat", 256);
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() ||
         stat[name_end + 2] == 'Z' || stat[name_end + 2] == 'X';
}

bool kill_all_children(int children_list, Daemons daemons) {
  for (int round = 0; round < max_kill_rounds; ++round) {
    std::vector<pid_t> children = read_children(children_list);
    if (daemons == Daemons::spared) {
      const auto spared = std::remove_if(children.begin(), children.end(), is_daemon);
      const bool some = spared != children.end();
      children.erase(spared, children.end());
      if (some && children.empty()) return true;
    }
    for (const pid_t child : children) kill(child, SIGKILL);
    // With children left, the first wait blocks until one of them is gone; their orphans come next
    // round.
    const pid_t first = waitpid(-1, nullptr, children.empty() ? WNOHANG : 0);
    if (first < 0 && errno == ECHILD) return true;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
  return false;
}

}  // namespace hearth::process
