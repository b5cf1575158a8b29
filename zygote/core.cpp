#include "zygote/core.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "process/children.hpp"

namespace hearth::zygote {
namespace {

constexpr char channel_variable[] = "HEARTH_CHANNEL";
constexpr std::uint32_t channel_version = 1;
constexpr std::size_t no_test = Assignment::none;

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// The channel that the server left in the environment, or -1. A descriptor that is anything but
// such a socket is somebody else's.
int inherited_channel() {
  const char* const variable = getenv(channel_variable);
  if (variable == nullptr) return -1;
  const int channel = std::atoi(variable);
  unsetenv(channel_variable);
  int type = 0;
  int domain = 0;
  socklen_t length = sizeof type;
  if (channel <= 2 || getsockopt(channel, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return -1;
  length = sizeof domain;
  if (getsockopt(channel, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) return -1;
  if (type != SOCK_SEQPACKET || domain != AF_UNIX) return -1;
  fcntl(channel, F_SETFD, FD_CLOEXEC);
  return channel;
}

char* inherited_marker() {
  char* const digits = getenv(process::marker_variable);
  return digits != nullptr && std::strlen(digits) == process::marker_digits ? digits : nullptr;
}

// What fits into a packet several times over, however long the program makes its names.
TestDescription describe_within_bounds(const Tests& tests, std::size_t test) {
  constexpr std::size_t longest = 8 * 1024;
  TestDescription description = tests.describe(test);
  description.name = description.name.substr(0, longest);
  description.suite = description.suite.substr(0, longest);
  description.file = description.file.substr(0, longest);
  return description;
}

void close_all(const Received& received) {
  for (const int descriptor : received.descriptors) {
    if (descriptor >= 0) close(descriptor);
  }
}

// What comes over the channel gets the lowest numbers: where a test has closed one of these, its
// threads would print into that.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (const int null = open("/dev/null", O_RDWR); null > fd) close(null);
  }
}

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000u +
         static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

Core& Core::instance() {
  static Core* const core = new Core;  // outlives static destruction
  return *core;
}

Core::Core()
    : m_channel(inherited_channel()),
      m_pid(getpid()),
      m_marker(m_channel >= 0 ? inherited_marker() : nullptr) {}

bool Core::send(message::from_zygote::Tag tag, std::string_view encoded) const {
  std::string packet;
  protozero::pbf_writer(packet).add_message(tag, encoded.data(), encoded.size());
  return zygote::send(m_channel, packet);
}

// The server is gone, or has no more use for us: nothing to tear down for.
void Core::end_with_server() const {
  process::kill_all_children(m_children_list);
  _exit(0);
}

void Core::hello(std::string_view framework, std::string_view version, bool shares) {
  std::string encoded;
  protozero::pbf_writer hello(encoded);
  hello.add_uint32(1, channel_version);
  hello.add_uint32(2, channel_version);
  hello.add_uint64(3, static_cast<std::uint64_t>(m_pid));
  message::add(hello, 4, framework);
  message::add(hello, 5, version);
  if (shares) hello.add_bool(6, true);
  if (!send(message::from_zygote::hello, encoded)) end_with_server();
}

void Core::await_welcome() {
  const Received received = receive(m_channel);
  if (received.kind == Received::Kind::closed) end_with_server();
  protozero::pbf_reader reader(received.bytes.data(), received.bytes.size());
  while (reader.next()) {
    if (reader.tag() == message::to_zygote::welcome) {
      m_describe = message::read_varint(reader.get_message(), 2) != 0;
    } else {
      reader.skip();
    }
  }
}

void Core::describe(const Tests& tests) const {
  constexpr std::size_t enough = max_packet / 4;  // one more description fits always
  std::string list;
  const auto flush = [&] {
    if (!send(message::from_zygote::tests, list)) end_with_server();
    list.clear();
  };
  for (std::size_t i = 0; i < tests.count(); ++i) {
    const TestDescription test = describe_within_bounds(tests, i);
    protozero::pbf_writer writer(list);
    message::write_test(writer, test);
    if (list.size() > enough) flush();
  }
  if (!list.empty()) flush();
}

void Core::ready(const SetUp& set_up) {
  const unsigned threads = thread_count();
  std::string encoded;
  protozero::pbf_writer ready(encoded);
  if (threads > 1) {
    ready.add_enum(1, 1);
    ready.add_string(2, std::to_string(threads) +
                            " threads were running once it had initialised, and a fork copies one");
  }
  if (set_up.failed || set_up.skipped) {
    message::add(ready, 3,
                 set_up.text.empty() ? "set-up failed" : set_up.text.substr(0, max_packet / 2));
  }
  if (set_up.skipped && !set_up.failed) ready.add_bool(4, true);
  if (!send(message::from_zygote::ready, encoded)) end_with_server();
}

// From here on SIGCHLD comes through a descriptor, and the program's own handler, which the
// children get back, does not reap in our place.
void Core::take_signals() {
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, &m_program_mask);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, &m_program_sigchld);
  m_signals_taken = true;
  m_signals = move_up(signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK), m_channel + 1);
  m_children_list = move_up(process::open_children_list(), m_channel + 1);
}

void Core::give_signals_back() const {
  if (!m_signals_taken) return;
  if (m_program_sigchld.sa_handler != SIG_DFL) sigaction(SIGCHLD, &m_program_sigchld, nullptr);
  sigprocmask(SIG_SETMASK, &m_program_mask, nullptr);
}

Assignment Core::park(const Tests& tests, const SetUp& set_up, bool is_suite) {
  // A fork that set-up made and that came back from it: this is not its run.
  if (getpid() != m_pid) _exit(0);
  m_tests = &tests;
  if (!is_suite) {
    run_warm_up_hooks();
    await_welcome();
    if (m_describe) describe(tests);
  }
  process::become_subreaper();
  take_signals();
  m_helpers = process::read_children(m_children_list);
  m_mark = process::marker_of(getpid());
  std::fflush(nullptr);
  collapse_memory();
  ready(set_up);

  Assignment assignment{Task::finish, 0};
  for (;;) {
    pollfd sources[] = {{m_signals, POLLIN, 0}, {m_channel, POLLIN, 0}};
    if (poll(sources, 2, -1) < 0 && errno != EINTR) end_with_server();
    if (sources[0].revents != 0) reap();
    if (sources[1].revents == 0) continue;
    const Received received = receive(m_channel);
    if (received.kind == Received::Kind::closed) end_with_server();
    if (perform(received, assignment)) return assignment;
  }
}

bool Core::perform(const Received& received, Assignment& assignment) {
  protozero::pbf_reader reader(received.bytes.data(), received.bytes.size());
  while (reader.next()) {
    switch (reader.tag()) {
      case message::to_zygote::run_test:
        return run_test(message::read_run_test(reader.get_message()), received, assignment);
      case message::to_zygote::start_suite:
        return start_suite(message::read_run_test(reader.get_message()), received, assignment);
      case message::to_zygote::start_shared:
        return start_shared(message::read_run_test(reader.get_message()), received, assignment);
      case message::to_zygote::kill:
        kill(message::read_kill(reader.get_message()));
        break;
      case message::to_zygote::finish:
        if (message::read_varint(reader.get_message(), 1) != 0) end_with_server();
        give_signals_back();
        return true;
      default:
        reader.skip();
    }
  }
  close_all(received);
  return false;
}

std::size_t Core::find(std::uint32_t test, std::string_view name) const {
  if (test < m_tests->count() && describe_within_bounds(*m_tests, test).name == name) return test;
  for (std::size_t i = 0; i < m_tests->count(); ++i) {
    if (describe_within_bounds(*m_tests, i).name == name) return i;
  }
  return no_test;
}

void Core::refuse(std::uint64_t execution, std::string_view why) const {
  std::string encoded;
  protozero::pbf_writer refused(encoded);
  refused.add_uint64(1, execution);
  message::add(refused, 2, why);
  send(message::from_zygote::refused, encoded);
}

bool Core::run_test(const message::RunTest& run, const Received& received, Assignment& assignment) {
  if (run.in_place && run.keep) {
    become_shared();
    if (!begin_shared(run, received, assignment)) assignment = await_shared();
    return true;
  }
  const std::size_t test = find(run.test, run.name);
  if (test == no_test) {
    refuse(run.execution, "the program has no such test any more");
  } else if (run.in_place || fork_execution(run.execution, Kind::test) == 0) {
    become_test(run, received);
    assignment = {Task::run_test, test};
    return true;
  }
  close_all(received);
  return false;
}

bool Core::start_suite(const message::RunTest& run, const Received& received,
                       Assignment& assignment) {
  const std::size_t test = find(run.test, run.name);
  if (test == no_test) {
    refuse(run.execution, "the program has no such test any more");
  } else if (fork_execution(run.execution, Kind::suite) == 0) {
    become_parked(run, received);
    assignment = {Task::set_up_suite, test};
    return true;
  }
  close_all(received);
  return false;
}

bool Core::start_shared(const message::RunTest& run, const Received& received,
                        Assignment& assignment) {
  if (fork_execution(run.execution, Kind::shared) == 0) {
    become_parked(run, received);
    assignment = next();
    return true;
  }
  close_all(received);
  return false;
}

void Core::kill(const message::Kill& kill) const {
  const auto found = std::find_if(m_executions.begin(), m_executions.end(),
                                  [&](const Execution& e) { return e.id == kill.execution; });
  if (found == m_executions.end() || kill.signal <= 0) return;
  if (::kill(-found->pid, kill.signal) != 0) ::kill(found->pid, kill.signal);
}

// Forks; 0 in the child. In the zygote the server is told, also when there was no fork.
pid_t Core::fork_execution(std::uint64_t execution, Kind kind) {
  const std::uint64_t when = now();
  const pid_t pid = fork();
  if (pid == 0) return 0;
  if (pid < 0) {
    refuse(execution,
           std::string("the test's process could not be forked: ") + std::strerror(errno));
    return -1;
  }
  setpgid(pid, pid);
  m_executions.push_back({execution, pid, kind});
  started(execution, pid, when);
  return pid;
}

void Core::started(std::uint64_t execution, pid_t pid, std::uint64_t when) const {
  std::string encoded;
  protozero::pbf_writer started(encoded);
  started.add_uint64(1, execution);
  started.add_uint64(2, static_cast<std::uint64_t>(pid));
  started.add_uint64(3, when);
  send(message::from_zygote::started, encoded);
}

void Core::become_child(std::uint64_t execution, int out, int err) const {
  if (!process::die_with_parent(SIGKILL, m_pid)) _exit(1);
  setpgid(0, 0);
  if (m_marker != nullptr) process::write_marker(m_marker, execution);
  dup2(out, 1);
  dup2(err, 2);
  close(out);
  close(err);
}

void Core::become_test(const message::RunTest& run, const Received& received) {
  const auto [channel, out, err] = received.descriptors;
  if (run.in_place) {
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
  } else {
    become_child(run.execution, out, err);
  }
  give_signals_back();
  close(m_signals);
  close(m_children_list);
  take_channel(channel);
  report::open(m_channel);
}

// In the place of the command channel: nothing of the zygote's stays open. Where the program has
// lowered its limit of descriptors below that place, it stays where it is.
void Core::take_channel(int channel) {
  if (dup3(channel, m_channel, O_CLOEXEC) >= 0) {
    close(channel);
  } else {
    close(m_channel);
    m_channel = channel;
  }
}

// A process with a command channel of its own: a suite's, or a shared one.
void Core::become_parked(const message::RunTest& run, const Received& received) {
  const auto [channel, out, err] = received.descriptors;
  become_child(run.execution, out, err);
  give_signals_back();
  m_signals_taken = false;
  close(m_signals);
  close(m_children_list);
  take_channel(channel);
  m_pid = getpid();
  m_executions.clear();
}

// ---- a shared process: tests in its own place, one after the other

// Of a program that was started to be one.
void Core::become_shared() {
  give_signals_back();
  m_signals_taken = false;
  close(m_signals);
  close(m_children_list);
}

bool Core::begin_shared(const message::RunTest& run, const Received& received,
                        Assignment& assignment) {
  const std::size_t test = find(run.test, run.name);
  if (test == no_test || received.descriptors[0] < 0) {
    refuse(run.execution, "the program has no such test any more");
    close_all(received);
    return false;
  }
  m_execution = run.execution;
  assignment = {Task::run_shared, test,
                run.next_name.empty() ? no_test : find(run.next_test, run.next_name)};
  report::open(move_up(received.descriptors[0], m_channel + 1));
  started(run.execution, m_pid, now());
  return true;
}

// The server sees to it that what is left of this process's is ended.
Assignment Core::await_shared() {
  for (;;) {
    const Received received = receive(m_channel);
    if (received.kind == Received::Kind::closed) _exit(0);
    Assignment assignment{Task::finish, 0};
    protozero::pbf_reader reader(received.bytes.data(), received.bytes.size());
    while (reader.next()) {
      if (reader.tag() == message::to_zygote::run_test) {
        if (begin_shared(message::read_run_test(reader.get_message()), received, assignment))
          return assignment;
      } else if (reader.tag() == message::to_zygote::finish) {
        if (message::read_varint(reader.get_message(), 1) != 0) _exit(0);
        return assignment;
      } else {
        reader.skip();
      }
    }
  }
}

Assignment Core::next() {
  report::flush_output();
  occupy_standard_descriptors();
  if (send(message::from_zygote::ready, {})) return await_shared();
  std::fputs("hearth: this process's channel to the server is closed\n", stderr);
  _exit(1);
}

void Core::test_over() const {
  std::string encoded;
  protozero::pbf_writer ended(encoded);
  ended.add_uint64(1, m_execution);
  ended.add_uint64(6, now());
  send(message::from_zygote::ended, encoded);
}

void Core::suite_closed(std::string_view failure) const {
  std::string encoded;
  protozero::pbf_writer closed(encoded);
  message::add(closed, 1, failure.substr(0, max_packet / 2));
  send(message::from_zygote::suite_closed, encoded);
}

// ---- the ends of processes

void Core::reap() {
  signalfd_siginfo ignored;
  while (read(m_signals, &ignored, sizeof ignored) > 0) {
  }
  while (reap_one()) {
  }
}

// Reaps one child that has ended. A helper of the program's own stays for the program to reap.
bool Core::reap_one() {
  rusage usage{};
  int status = 0;
  pid_t pid = 0;
  if (m_helpers.empty()) {
    pid = wait4(-1, &status, WNOHANG | WUNTRACED, &usage);
  } else {
    for (const Execution& execution : m_executions) {
      pid = wait4(execution.pid, &status, WNOHANG | WUNTRACED, &usage);
      if (pid > 0) break;
    }
  }
  if (pid <= 0) return false;
  if (WIFSTOPPED(status)) {
    go_on(pid);
    return true;
  }
  const auto found = std::find_if(m_executions.begin(), m_executions.end(),
                                  [&](const Execution& e) { return e.pid == pid; });
  if (found == m_executions.end()) return true;  // an orphan that ended by itself
  const Execution execution = *found;
  m_executions.erase(found);
  ended(execution, status, usage);
  return true;
}

// A suite's process that stops would take the tests that are to come with it. A test that stops
// runs into its limit.
void Core::go_on(pid_t stopped) const {
  for (const Execution& execution : m_executions) {
    if (execution.pid == stopped && execution.kind == Kind::suite) ::kill(stopped, SIGCONT);
  }
}

bool Core::is_known(pid_t pid) const {
  return std::find(m_helpers.begin(), m_helpers.end(), pid) != m_helpers.end() ||
         std::any_of(m_executions.begin(), m_executions.end(),
                     [&](const Execution& e) { return e.pid == pid; });
}

// An orphan that no running test can claim: its group or its mark is the ended one's, or its mark
// is of none that runs. What this process started itself before it parked, and what came of that,
// is no test's.
bool Core::belongs_to_the_dead(pid_t orphan, const Execution& ended) const {
  const auto mark = process::marker_of(orphan);
  if (mark && mark == m_mark) return false;
  if (m_executions.empty() || getpgid(orphan) == ended.pid) return true;
  if (!mark) return false;
  return std::none_of(m_executions.begin(), m_executions.end(),
                      [&](const Execution& e) { return e.id == *mark; });
}

void Core::ended(const Execution& execution, int status, const rusage& usage) {
  constexpr int max_rounds = 1000;
  constexpr int max_named = 20;
  std::string encoded;
  protozero::pbf_writer ended(encoded);
  ended.add_uint64(1, execution.id);
  ended.add_int32(2, status);
  ended.add_uint64(3, microseconds(usage.ru_utime));
  ended.add_uint64(4, microseconds(usage.ru_stime));
  ended.add_uint64(5, static_cast<std::uint64_t>(usage.ru_maxrss));
  ended.add_uint64(6, now());
  int named = 0;
  bool found = true;
  for (int round = 0; found && round < max_rounds; ++round) {
    found = false;
    for (const pid_t orphan : process::read_children(m_children_list)) {
      if (is_known(orphan) || !belongs_to_the_dead(orphan, execution)) continue;
      if (!process::is_zombie(orphan) && named++ < max_named) {
        protozero::pbf_writer leftover(ended, 7);
        leftover.add_uint64(1, static_cast<std::uint64_t>(orphan));
        message::add(leftover, 2, process::command_of(orphan));
      }
      ::kill(orphan, SIGKILL);
      waitpid(orphan, nullptr, 0);
      found = true;
    }
  }
  send(message::from_zygote::ended, encoded);
}

void Core::closed(std::string_view failure) {
  std::string encoded;
  protozero::pbf_writer closed(encoded);
  message::add(closed, 1, failure.substr(0, max_packet / 2));
  send(message::from_zygote::closed, encoded);
}

bool served() noexcept {
  return Core::instance().served();
}

void hello(std::string_view framework, std::string_view version, bool shares) {
  Core::instance().hello(framework, version, shares);
}

Assignment park(const Tests& tests, const SetUp& set_up) {
  return Core::instance().park(tests, set_up, false);
}

Assignment park_suite(const Tests& tests, const SetUp& set_up) {
  return Core::instance().park(tests, set_up, true);
}

Assignment next() {
  return Core::instance().next();
}

void suite_closed(std::string_view failure) {
  Core::instance().suite_closed(failure);
}

void leave() {
  report::flush_everything();
  Core::instance().closed({});
  _exit(0);
}

void closed(std::string_view failure) {
  Core::instance().closed(failure);
}

}  // namespace hearth::zygote
