// The zygote's state in one process: the channel to the server and the children it forked. There is
// one of it, made before the first static object of the program that asks; in a fork it becomes the
// fork's own (a test's, or a suite's).
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hearth/zygote.hpp"
#include "zygote/channel.hpp"
#include "zygote/messages.hpp"
#include "zygote/only.hpp"
#include "zygote/surroundings.hpp"

namespace hearth::zygote {

class Core {
 public:
  static Core& instance();

  [[nodiscard]] bool served() const { return m_channel >= 0; }
  bool hello(std::string_view framework, std::string_view version, bool shares,
             const void* registry);
  Assignment park(const Tests& tests, const SetUp& set_up, bool is_suite);
  void closed(std::string_view failure);

  // In a shared process.
  Assignment next();
  void suite_closed(std::string_view failure) const;
  void test_over() const;

 private:
  enum class Kind { test, suite, shared };
  struct Execution {
    std::uint64_t id;
    pid_t pid;
    Kind kind;
  };

  struct Adapter {
    std::string framework;
    const void* registry;
  };

  template <typename T>
  friend T& only(const char* name);
  Core();
  // Also where the message has no field set: a packet is never empty.
  bool send(message::from_zygote::Tag tag, std::string_view encoded) const;
  [[noreturn]] void end_with_server() const;
  [[noreturn]] void end_elsewhere() const;
  Assignment leave_out(const Tests& tests);
  void await_welcome();
  void describe(const Tests& tests) const;
  void ready(const SetUp& set_up);
  void take_signals();
  void give_signals_back() const;

  // One packet from the server. True: this process has an assignment now.
  bool perform(const Received& received, Assignment& assignment);
  bool run_test(const message::RunTest& run, const Received& received, Assignment& assignment);
  bool start_suite(const message::RunTest& run, const Received& received, Assignment& assignment);
  bool start_shared(const message::RunTest& run, const Received& received, Assignment& assignment);
  [[nodiscard]] std::size_t find(std::uint32_t test, std::string_view name) const;
  void kill(const message::Kill& kill) const;
  void refuse(std::uint64_t execution, std::string_view why) const;

  pid_t fork_execution(std::uint64_t execution, Kind kind);
  void started(std::uint64_t execution, pid_t pid, std::uint64_t when) const;
  void become_child(std::uint64_t execution, int out, int err);
  void become_test(const message::RunTest& run, const Received& received);
  void become_parked(const message::RunTest& run, const Received& received);
  void become_shared();
  bool begin_shared(const message::RunTest& run, const Received& received, Assignment& assignment);
  Assignment await_shared();
  void take_channel(int channel);

  void reap();
  bool reap_one();
  void go_on(pid_t stopped) const;
  void ended(const Execution& execution, int status, const rusage& usage);
  [[nodiscard]] bool is_known(pid_t pid) const;
  [[nodiscard]] bool belongs_to_the_dead(pid_t orphan, const Execution& ended) const;

  int m_channel = -1;
  int m_signals = -1;
  int m_children_list = -1;
  pid_t m_pid = 0;
  char* m_marker = nullptr;  // the digits in the environment this process was started with
  std::optional<std::uint64_t> m_mark;  // what they say, while parked
  const Tests* m_tests = nullptr;
  bool m_describe = true;
  std::uint64_t m_execution = 0;  // in a shared process: the test that runs
  std::vector<Adapter> m_adapters;
  std::string m_closing;  // what `closed` is still to say
  OutputDescriptors m_output;
  bool m_was_subreaper = false;
  bool m_signals_taken = false;
  sigset_t m_program_mask{};
  struct sigaction m_program_sigchld {};
  char m_program_name[16] = {};
  std::vector<Execution> m_executions;
  std::vector<pid_t> m_helpers;  // children that the program's own initialisation started
};

// The test's own report channel, from Core::become_test on.
namespace report {
void open(int channel);
// This process, a suite's or a shared one, ends: what is found yet is its tear-down's failure.
void leaving();
// In a shared process: what its last test was torn down with has run.
void at_tear_down();
// The last of a process that ends at an exit mark: its exit handlers have run.
void at_process_end();
}  // namespace report

// Nanoseconds since 1970.
std::uint64_t now();
void run_warm_up_hooks();
// Empty: nothing is known that speaks against it.
std::string& why_not_to_fork();
// Makes forks of a large process cheap, as far as that pays.
void collapse_memory();
// How many threads this process has; 1 where that cannot be read.
unsigned thread_count();

}  // namespace hearth::zygote
