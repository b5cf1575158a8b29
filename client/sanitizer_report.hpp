// What sanitizers and valgrind print, in a test's output. The part that explains comes first, and
// what comes last is legends; so such an output is shown from its first report on, not from its
// end. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::client {

// From the line on that begins the first report: AddressSanitizer's and its kin's ("==7==ERROR: …",
// "WARNING: ThreadSanitizer: …"), UBSan's ("a.cpp:7:5: runtime error: …"), valgrind's
// ("==7== Invalid read of size 4"). nullopt: there is none.
[[nodiscard]] std::optional<std::string_view> from_first_report(std::string_view output);

// Without AddressSanitizer's shadow bytes and their legend.
[[nodiscard]] std::string without_legends(std::string_view text);

struct Excerpt {
  std::string text;
  std::string title;  // "" if that is all; else what it is: "the last 10 of 99 bytes"
};

// What to show of an output: all of it if that is no more than `lines` lines and `bytes` bytes,
// else from the first report on, twice the lines, else the last lines.
[[nodiscard]] Excerpt excerpt_of(std::string_view output, std::size_t size, std::size_t lines,
                                 std::size_t bytes);

}  // namespace hearth::client
