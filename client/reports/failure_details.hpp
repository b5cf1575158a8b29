// What reports say of a test that did not go well. Pure; all text is printable.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "client/run/events.hpp"

namespace hearth::client {

// One line: how the traceback or the reason begins, or what else there is to say.
[[nodiscard]] std::string message_of(const TestReport& report);

// The traceback and everything else that was attached as text, other than stdout, stderr and the
// reason.
[[nodiscard]] std::string details_of(const TestReport& report);

// An attachment that is output, at most `most` bytes of it: its end, or from a sanitizer's first
// report on. If something is missing, the first line says how much.
[[nodiscard]] std::string output_of(const TestReport& report, std::string_view name,
                                    std::size_t most);

struct SourcePlace {
  std::string file;
  std::string line;  // digits
};
// The first place that the traceback names: a line that begins with "file:line:", as GoogleTest,
// doctest and gcc write it, or with "file(line):".
[[nodiscard]] std::optional<SourcePlace> place_of(const TestReport& report);

}  // namespace hearth::client
