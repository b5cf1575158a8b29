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

}  // namespace hearth
