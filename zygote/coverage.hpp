// Coverage of gcov and LLVM: what a program's processes counted, together, is what the plain
// program would have counted, and is written by the one process that would have written it.
//
// By hand a runtime writes its counters in an exit handler. The process of a test never comes to
// it, and should not: gcov would open, merge and write each source file's data for each test, and
// LLVM's one default.profraw would have as many writers as there are tests. So:
//
//   parked      The warm process puts its counters, which are of the program's set-up, into a bank,
//               and goes on with counters that are zero.
//   forked      A fork counts from zero. Memory that it shares with its parent, an account, waits
//               for its counts.
//   hand_over   At its end, after its exit handlers, a fork adds its counters to its account. So it
//               does when it crashes, in a signal handler that then does what was due: the handler
//               writes to memory only. A fork that is killed cannot; its parent, which is told to
//               kill it, reads its counters first (process_vm_readv), TERM or KILL alike.
//   reaped      The parent adds the account to its bank. A suite's process has for its bank the
//               account that it got, so that its tests' counts are the program's at once.
//   no_more_tests  The warm process adds its bank to its counters, and ends by the ordinary exit,
//               where the runtimes write as ever: to the names, and by the patterns, that were
//               asked for, with their own words on stderr where they cannot. One that was only
//               listed writes nothing.
//
// A process that has no parent to hand over to, a test's of a program that cannot be forked, sets
// its counters to zero when its test begins (what came before is set-up, which the
// process that goes through the program's end counts) and writes at its end what that test has
// counted: gcov merges with the files, and so does LLVM where its pattern has `%m`; with a name
// that is one file for all, the file is locked and merged here. A library that a fork loaded, and
// that its parent does not know, writes its own as well.
//
// Nothing here does anything in a program that is not instrumented.
//
// Counts that are lost: of a test that ends by _exit() or by SIGKILL that is not the server's; of
// everything, where the warm process does not come to its end. By hand they are lost as well.
#pragma once

#include <sys/types.h>

namespace hearth::zygote::coverage {

// In a process that is about to park.
void parked();

// Whether there is anything to count in what is loaded; after parked().
bool is_counted();

// Around a fork of a parked process: before it, then in the child, or in the parent with the
// child's pid (or what fork() returned instead).
void before_fork();
void become_fork();
void forked(pid_t pid);

// In the parent: the fork is about to get a signal that may end it; it has ended.
void before_signal(pid_t pid);
void reaped(pid_t pid);

// This process runs tests itself, in the place of forks.
void begin_in_place();

// A process that had parked has no more tests, and goes to its own end.
void no_more_tests();

// At the end of a process that is not the warm one, after its exit handlers.
void hand_over();

}  // namespace hearth::zygote::coverage
