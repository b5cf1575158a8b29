// Splits the process's list of exit handlers at the park: what a test registered for the end of its
// process (destructors of function-local statics and thread_locals, atexit(), on_exit()) runs when
// the test has ended; what the warm program had registered before it parked does not, since that
// would tear down, in every test's process, what they share.
//
// How it works: a process that parks registers a handler of our own, a mark. exit() runs handlers
// in the reverse order, so that a fork of the parked process meets the mark after its own handlers
// and before the program's; there it ends with _exit(). The warm process itself passes over the
// mark, and so does what a test forked: these end as by hand. A suite's process parks once more;
// its tests stop at the second mark, it stops at the first.
#pragma once

namespace hearth::zygote {

// In a process that is about to park.
void mark_exit_handlers();

// This process was forked from one that had parked, or is a test's in the place of one: its exit
// ends at the latest mark.
void stop_at_exit_mark();

// Runs this process's own exit handlers, then what `report` still has to do, and ends it with
// status 0.
[[noreturn]] void run_exit_handlers();

}  // namespace hearth::zygote
