// What an adapter needs of the framework-neutral core inside a test program. The core keeps the
// channel to the server (spec/worker-channel.md), forks the tests, and reaps them; the adapter
// knows its framework.
//
// Flow in a program that a server started (served()): the adapter says hello() while static objects
// are initialised, lets the framework's run begin, and calls park() in the hook after global
// set-up. park() returns in another process each time: in a test's child, in a suite's process, or,
// when there is no more to do, in the program itself. In a program started by hand nothing here
// does anything. A shared process runs tests one after the other, in its own place:
// Task::run_shared and next().
//
// C++17; compiled in the user's build. Views are only read during the call that takes them.
#pragma once
#pragma GCC system_header

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth::zygote {

struct TestDescription {
  std::string_view name;       // as the framework names it, unique in the program
  std::string_view suite;      // tests of one suite share its set-up; may be empty
  bool hidden = false;         // not listed, runs when asked for
  bool suite_process = false;  // its suite's set-up runs once, in a process of its own
  double time_limit = 0;       // seconds; 0: none of its own
  std::string_view file;
  unsigned line = 0;
};

class Tests {
 public:
  virtual std::size_t count() const = 0;
  virtual TestDescription describe(std::size_t test) const = 0;

 protected:
  ~Tests() = default;
};

// How global or suite set-up went.
struct SetUp {
  bool failed = false;
  bool skipped = false;
  std::string_view text;  // the cause, for people
};

enum class Task {
  run_test,      // this is the test's own process: run it, report, end with Report::finish
  set_up_suite,  // this is the suite's process: set up the suite of `test`, then park_suite()
  run_shared,    // run the test here, end it with report::conclude, then next()
  finish,        // no more tests: let the framework tear down; then closed()
};
struct Assignment {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  Task task;
  std::size_t test;         // index in Tests
  std::size_t next = none;  // run_shared: the test that is to follow, as far as is known; none: no
                            // more are to come
  bool alone = false;       // run_test: in a program that was started for this test
};

// The values are those of Verdict.Outcome in spec/worker.proto.
enum class Outcome : std::uint8_t {
  unknown = 0,
  success = 1,
  fail = 2,
  skip = 3,
  xfail = 4,
  uxsuccess = 5
};

// True in a program that a Hearth server started, in it and in its forks; the same answer all its
// life.
bool served() noexcept;

// Where adapters, and this library, keep what a process has one of, however often they are in it:
// null at first. The name and the size tell what it is.
void*& shared_place(const char* name, std::size_t size);

// `shares`: the adapter knows Task::run_shared. `registry`: an address that stands for the
// framework's list of tests. False: another adapter for the same list has said it (the adapter is
// compiled into several files whose symbols are hidden from each other), and this one does nothing.
// Of several lists the one whose run parks first is served; two GoogleTests are refused.
bool hello(std::string_view framework, std::string_view version, bool shares, const void* registry);

// Runs the warm-up hooks (hearth/warm.hpp), describes the tests, and waits for work.
Assignment park(const Tests& tests, const SetUp& set_up);

// The same in a suite's process, after its set-up.
Assignment park_suite(const Tests& tests, const SetUp& set_up);

// In a shared process, when its test has been concluded, and what was set up for it and is of no
// use for the test that is to follow has been torn down. Waits for work: run_shared or finish.
Assignment next();

// In a shared process: the tear-down of the last test's suite failed, with this text.
void suite_closed(std::string_view failure);

// The end of a suite's process or of a shared one, with the task `finish`, after its tear-down.
// Empty: that passed. Exit handlers run that were registered since the program parked.
[[noreturn]] void leave(std::string_view failure = {});

// In the program itself, with the task `finish`, after its tear-down; what `main` does next, and
// its exit status, are judged too. Empty: tear-down passed.
void closed(std::string_view failure);

// A test's own report. Calls from a process that is not the test's own (it forked) do nothing.
// Calls from several threads are safe.
namespace report {
// A piece of an attachment; pieces of one name are joined. What was attached before a crash is not
// lost.
void attach(std::string_view name, std::string_view mime_type, std::string_view content,
            bool last = false);
void text(std::string_view name, std::string_view content,
          bool last = false);  // text/plain;charset=utf8
void property(std::string_view key, std::string_view value);
void subunit_v1(std::string_view piece);
// Flushes streams, sends the verdict, runs the exit handlers that the test registered, ends the
// process.
[[noreturn]] void finish(Outcome outcome);
// The same where subunit_v1() has said the verdict.
[[noreturn]] void finish();
// The same in a shared process, which goes on. What the test forked, and comes here, ends.
void conclude(Outcome outcome);
void conclude();
// The process that is the test's own; false in what the test forked.
bool own_process() noexcept;
}  // namespace report

}  // namespace hearth::zygote
