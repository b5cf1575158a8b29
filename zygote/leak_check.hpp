// LeakSanitizer in the forks of a parked process. By hand it looks for leaks in an exit handler of
// its own, the last one, which no fork of ours reaches (exit_handlers.hpp). Here it looks in each
// process for what that process has leaked: in a test's when its exit handlers have run, in a
// shared one after each test, in a suite's at its end. What had been leaked before the process was
// forked is known from the park and left out: that is the program's own, at the program's end.
//
// In a program without LeakSanitizer (it comes with -fsanitize=address and -fsanitize=leak) nothing
// here does anything. Its options hold as ever: detect_leaks, exitcode, suppressions,
// __lsan_is_turned_off().
#pragma once

#include <string>

namespace hearth::zygote::leak_check {

// In a process that is about to park, with SIGCHLD blocked. Frames below this call's are none that
// a test needs.
void note_park();

// This process was forked from one that had parked, or goes on in its place.
void leave_park();

struct Leaks {
  std::string text;    // LeakSanitizer's report; empty: there are none
  bool fails = false;  // they are a failure (the option exitcode is not 0)
};

// What this process has leaked since, as far as that has not been said before.
Leaks find();
// The same at the process's end, on the stack that from_park() has made.
Leaks find_at_end();

// Ends the frames that were entered since the park, whose remains would hide leaks, and calls
// function(status) on what is left of the stack. Where nothing is looked for, calls it at once.
[[noreturn]] void from_park(void (*function)(int), int status);

}  // namespace hearth::zygote::leak_check
