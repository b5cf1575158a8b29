#include "client/project/instances.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <sstream>

#include "client/project/shell_command.hpp"

namespace hearth::client {
namespace {

void write_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

std::string read_text(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

}  // namespace

std::string provision_command(const std::string& text, std::size_t count) {
  return substitute(text, {{"INSTANCE_COUNT", std::to_string(count)}});
}

std::string execute_command(const std::string& text, const std::string& id,
                            const std::string& command) {
  return substitute(text, {{"INSTANCE_ID", id}, {"COMMAND", command}, {"FILES", ""}});
}

std::string dispose_command(const std::string& text, std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end());
  std::string joined;
  for (const auto& id : ids) joined += (joined.empty() ? "" : " ") + id;
  return substitute(text, {{"INSTANCE_IDS", joined}});
}

// The process that disposes. It is told of every instance as soon as it is there; when the pipe
// closes, for whatever reason, it disposes of them all, in a session of its own, where no Ctrl-C
// reaches it.
class Instances::Disposer {
 public:
  // nullptr: there can be no such process; errno says why.
  static std::unique_ptr<Disposer> start(const std::string& text, const std::string& directory);
  ~Disposer();
  Disposer(const Disposer&) = delete;
  Disposer& operator=(const Disposer&) = delete;

  void add(const std::string& id) const { write_text(m_ids, id + "\n"); }

 private:
  Disposer(int ids, int report, pid_t pid) : m_ids(ids), m_report(report), m_pid(pid) {}
  [[noreturn]] static void dispose(int ids, int report, const ShellCommand& command);

  int m_ids;
  int m_report;
  pid_t m_pid;
};

std::unique_ptr<Instances::Disposer> Instances::Disposer::start(const std::string& text,
                                                                const std::string& directory) {
  std::array<int, 2> ids{-1, -1};
  std::array<int, 2> report{-1, -1};
  if (pipe2(ids.data(), O_CLOEXEC) != 0) return nullptr;
  pid_t pid = -1;
  if (pipe2(report.data(), O_CLOEXEC) == 0) pid = fork();
  if (pid == 0) dispose(ids[0], report[1], {"instance_dispose", text, directory});
  const int failed = errno;
  close(ids[0]);
  if (report[1] >= 0) close(report[1]);
  if (pid > 0) return std::unique_ptr<Disposer>(new Disposer(ids[1], report[0], pid));
  close(ids[1]);
  if (report[0] >= 0) close(report[0]);
  errno = failed;
  return nullptr;
}

// In the process that disposes. It keeps nothing of this one open but stderr.
void Instances::Disposer::dispose(int ids, int report, const ShellCommand& command) {
  setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_IGN);
  const int safe_ids = fcntl(ids, F_DUPFD_CLOEXEC, 10);
  const int safe_report = fcntl(report, F_DUPFD_CLOEXEC, 10);
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(nothing, STDOUT_FILENO);
  dup3(safe_ids, 3, O_CLOEXEC);
  dup3(safe_report, 4, O_CLOEXEC);
  close_range(5, ~0U, 0);
  const auto given = words(read_text(3));
  if (given.empty()) _exit(0);
  auto disposal = command;
  disposal.text = dispose_command(command.text, given);
  const auto disposed = run_shell(disposal);
  if (disposed) {
    write_text(STDERR_FILENO, disposed->err);
    _exit(0);
  }
  write_text(4, disposed.error().text());
  _exit(1);
}

Instances::Disposer::~Disposer() {
  close(m_ids);
  const auto text = read_text(m_report);
  close(m_report);
  while (waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) continue;
  if (!text.empty()) write_text(STDERR_FILENO, "hearth: " + text + "\n");
}

Instances::Instances(InstanceCommands commands, std::unique_ptr<Disposer> disposer)
    : m_commands(std::move(commands)), m_disposer(std::move(disposer)) {}

Instances::~Instances() = default;

Expected<std::shared_ptr<Instances>> Instances::provision(const InstanceCommands& commands,
                                                          std::size_t count,
                                                          const std::string& directory) {
  std::unique_ptr<Disposer> disposer;
  if (commands.dispose) {
    disposer = Disposer::start(*commands.dispose, directory);
    if (!disposer)
      return tl::unexpected(
          Error{"start the process that disposes of instances", std::strerror(errno), ""});
  }
  const std::shared_ptr<Instances> instances(new Instances(commands, std::move(disposer)));
  while (instances->m_ids.size() < count)
    if (auto failed = instances->provision_more(count - instances->m_ids.size(), directory))
      return tl::unexpected(std::move(*failed));
  return instances;
}

std::optional<Error> Instances::provision_more(std::size_t count, const std::string& directory) {
  const ShellCommand command{
      "instance_provision", provision_command(m_commands.provision.value_or(""), count), directory};
  const auto output = run_shell(command);
  if (!output) return output.error();
  write_text(STDERR_FILENO, output->err);
  const auto before = m_ids.size();
  for (auto& id : words(output->out)) {
    if (std::find(m_ids.begin(), m_ids.end(), id) != m_ids.end()) continue;
    if (m_disposer) m_disposer->add(id);
    m_ids.push_back(std::move(id));
  }
  if (m_ids.size() > before) return std::nullopt;
  return Error{"run " + command.key + " (" + command.text + ")",
               "it printed no id of a new instance, and " + std::to_string(count) + " more " +
                   (count == 1 ? "is" : "are") + " needed",
               "it is to print the ids on stdout, separated by white space"};
}

std::string Instances::wrapped(const std::string& command, const std::string& id) const {
  return m_commands.execute ? execute_command(*m_commands.execute, id, command) : command;
}

}  // namespace hearth::client
