// What a PROGRAM argument says: a path, NAME=PATH, or a quoted command line with arguments. No I/O
// but the look-up of the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.hpp"

namespace hearth::server {

struct ProgramSpec {
  std::string name;                    // the first part of its tests' ids; unique in a server
  std::string path;                    // absolute
  std::vector<std::string> arguments;  // argv[1] and on
};

// Words of a command line: blanks separate, quotes and backslashes work as in sh; nothing is
// expanded.
[[nodiscard]] Expected<std::vector<std::string>> split_words(std::string_view line);

[[nodiscard]] Expected<ProgramSpec> parse_program(std::string_view argument);

// All of them; two of one name are refused, and two whose names could give their tests one id (`a`,
// `a.b`).
[[nodiscard]] Expected<std::vector<ProgramSpec>> parse_programs(
    const std::vector<std::string>& arguments);

}  // namespace hearth::server
