// Warm-up hooks: what a test program wants done once, before its tests are forked (fill a cache,
// parse a corpus, load a model). They run in a program that a Hearth server started, after the
// framework's global set-up, in the order of registration; never in a program started by hand.
//
//   static const bool warm = hearth::on_warm([] { dictionary().load(); });
#pragma once
#pragma GCC system_header

namespace hearth {

// Always true, so that it can initialise a static object. A hook that throws or ends the process
// makes the program one that cannot be served, with the cause.
bool on_warm(void (*hook)());

// The program has what a fork cannot copy (memory of a network card or a GPU, a library that
// refuses to work in one): the server starts it anew for each test. `why`, for people, is copied.
// Always true; called before the first test.
//
//   static const bool anew = hearth::never_fork("its RDMA buffers are not copied");
bool never_fork(const char* why);

}  // namespace hearth
