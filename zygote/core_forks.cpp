// What the server asks for, and the processes that it becomes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "process/children.hpp"
#include "zygote/core.hpp"
#include "zygote/coverage.hpp"
#include "zygote/exit_handlers.hpp"
#include "zygote/leak_check.hpp"
#include "zygote/mock_leaks.hpp"
#include "zygote/streams.hpp"

namespace hearth::zygote {
namespace {

void leave_park(bool in_place) {
  stop_at_exit_mark();
  leak_check::leave_park();
  mock_leaks::leave_park(in_place);
}

// What comes over the channel gets the lowest numbers: where a test has closed one of these, its
// threads would print into that.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (const int null = open("/dev/null", O_RDWR); null > fd) close(null);
  }
}

}  // namespace

bool Core::run_test(const message::RunTest& run, const Received& received, Assignment& assignment) {
  if (run.in_place && run.keep) {
    become_shared();
    if (!begin_shared(run, received, assignment)) assignment = await_shared();
    return true;
  }
  const std::size_t test = find(run.test, run.name);
  if (test == Assignment::none) {
    refuse(run.execution, "the program has no such test any more");
  } else if (run.in_place || fork_execution(run.execution, Kind::test) == 0) {
    become_test(run, received);
    assignment = {Task::run_test, test, Assignment::none, run.in_place};
    return true;
  }
  close_all(received);
  return false;
}

bool Core::start_suite(const message::RunTest& run, const Received& received,
                       Assignment& assignment) {
  const std::size_t test = find(run.test, run.name);
  if (test == Assignment::none) {
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
  coverage::before_signal(found->pid);
  if (::kill(-found->pid, kill.signal) != 0) ::kill(found->pid, kill.signal);
}

// Forks; 0 in the child. In the zygote the server is told, also when there was no fork.
pid_t Core::fork_execution(std::uint64_t execution, Kind kind) {
  const std::uint64_t when = now();
  coverage::before_fork();
  const pid_t pid = fork();
  if (pid == 0) return 0;
  coverage::forked(pid);
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

void Core::become_child(std::uint64_t execution, int out, int err) {
  if (!process::die_with_parent(SIGKILL, m_pid)) _exit(1);
  setpgid(0, 0);
  if (m_marker != nullptr) process::write_marker(m_marker, execution);
  if (m_was_subreaper) process::become_subreaper();
  m_output.redirect(out, err);
  coverage::become_fork();
}

void Core::become_test(const message::RunTest& run, const Received& received) {
  const auto [channel, out, err] = received.descriptors;
  if (run.in_place) {
    if (!m_was_subreaper) process::become_subreaper(false);
    m_output.redirect(out, err);
    coverage::begin_in_place();
  } else {
    become_child(run.execution, out, err);
  }
  give_signals_back();
  close(m_signals);
  close(m_children_list);
  take_channel(channel);
  leave_park(run.in_place);
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
  leave_park(false);
  m_pid = getpid();
  m_executions.clear();
}

// ---- a shared process: tests in its own place, one after the other

// Of a program that was started to be one.
void Core::become_shared() {
  if (!m_was_subreaper) process::become_subreaper(false);
  give_signals_back();
  m_signals_taken = false;
  close(m_signals);
  close(m_children_list);
  leave_park(true);
  coverage::begin_in_place();
}

bool Core::begin_shared(const message::RunTest& run, const Received& received,
                        Assignment& assignment) {
  const std::size_t test = find(run.test, run.name);
  if (test == Assignment::none || received.descriptors[0] < 0) {
    refuse(run.execution, "the program has no such test any more");
    close_all(received);
    return false;
  }
  m_execution = run.execution;
  assignment = {Task::run_shared, test,
                run.next_name.empty() ? Assignment::none : find(run.next_test, run.next_name)};
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
  const Untouched untouched;
  flush_streams();
  report::at_tear_down();
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

}  // namespace hearth::zygote
