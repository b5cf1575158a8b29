// Looks at a PROGRAM's file before it is started: what certainly cannot be served is not run, since
// running a test program that does not know us runs all its tests.
//
// Certain is: a folder; an object file, a core, a shared library; and a program that has a test
// framework in it, and neither Hearth's adapter nor a way to come by it (in it and in all libraries
// that it names, the adapter's variable is nowhere, and none of them opens other libraries). What
// has no framework in it may be a wrapper (env, valgrind, an interpreter) and is not judged; nor is
// a script.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/program_spec.hpp"

namespace hearth::server {

// Why it is not started, for people; nullopt: nothing speaks against it. `environment`: K=V, what
// the program gets on top of ours.
[[nodiscard]] std::optional<std::string> why_not_started(
    const ProgramSpec& spec, const std::vector<std::string>& environment);

// What a file is that the kernel refused to execute: " (it is a text file)". Empty: not known.
[[nodiscard]] std::string kind_of_file(const std::string& path);

}  // namespace hearth::server
