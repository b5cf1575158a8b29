// One line of subunit v1, taken apart. spec/subunit-v1.md, "Directives".
#pragma once

#include <optional>
#include <string_view>

#include "protocol/subunit_v1.hpp"

namespace hearth::protocol::v1 {

enum class Keyword : std::uint8_t { test, outcome, progress, tags, time };

struct Directive {
  Keyword keyword;
  TestStatus status;          // of an outcome
  std::string_view argument;  // what follows the keyword and one separator, as it is
};

// `line` has no newline. nullopt: no directive.
[[nodiscard]] std::optional<Directive> parse_directive(std::string_view line);

// The arguments of the directives that take more than a name; nullopt: malformed.
[[nodiscard]] std::optional<Progress> parse_progress(std::string_view argument);
[[nodiscard]] std::optional<TimeStamped> parse_time(std::string_view argument);
[[nodiscard]] Tagged parse_tags(std::string_view argument);

}  // namespace hearth::protocol::v1
