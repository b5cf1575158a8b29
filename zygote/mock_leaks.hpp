// GoogleMock's leaked mocks in the forks of a parked process. By hand GoogleMock looks for them
// when its registry of mock objects is destroyed, after main(): no fork of ours comes there
// (exit_handlers.hpp). Here the registry is read when a process's own exit handlers have run.
//
// How it works: the registry is a std::map inside GoogleMock, with no way to ask for what is in it.
// testing::Mock::AllowLeak() puts any address into it; the program's modules are looked through for
// a map that then has that address in a node of exactly the shape that GoogleMock 1.8 to 1.17 give
// it (with libstdc++). Where there is none, nothing is said. All memory is read by
// process_vm_readv(), which an address that is none does not hurt.
//
// A mock that was there when the program parked (static, or made by a suite's set-up) may still be
// deleted by a tear-down that a test's process does not run: the parked process, the parent of this
// one, is looked at to tell such a one. In a program without GoogleMock nothing here does anything.
#pragma once

#include <string>

namespace hearth::zygote::mock_leaks {

// In a process that is about to park.
void note_park();

// This process was forked from one that had parked. `in_place`: it is itself that process.
void leave_park(bool in_place);

// GoogleMock's words on each mock object that this process has used and not deleted; empty: none.
std::string find_at_end();

}  // namespace hearth::zygote::mock_leaks
