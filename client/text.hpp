// Text for people: tests' bytes made printable, columns counted, durations written. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace hearth::client {

// UTF-8 that no terminal acts on: control characters (other than newline and tab) and bytes that
// are no UTF-8 become \xNN; the carriage return of CR LF goes.
[[nodiscard]] std::string printable(std::string_view bytes);
// The same in one line: newlines and tabs become blanks.
[[nodiscard]] std::string printable_line(std::string_view bytes);

// Columns on a terminal, of text as printable_line() gives it: East Asian wide characters take two,
// combining ones none.
[[nodiscard]] std::size_t display_width(std::string_view text);
// The same for a line with our own colours (escape sequences that end in `m`), which take none.
[[nodiscard]] std::size_t plain_width(std::string_view line);
// The longest beginning of `text` that fits in `columns`; where something is cut off, it ends in
// "…".
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns);

// The same for its end: what is cut off is cut off in front.
[[nodiscard]] std::string fitted_end(std::string_view text, std::size_t columns);

// Each line of `text` behind `margin`, and ended by a newline.
[[nodiscard]] std::string indented(std::string_view text, std::string_view margin);
// The last `lines` lines; `text` itself where it has no more.
[[nodiscard]] std::string_view last_lines(std::string_view text, std::size_t lines);

// "0.012 s", "7.3 s", "2:05 min", "1:02:03 h".
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds duration);

// The same in tenths of a second, for what is still going on: "0.1 s".
[[nodiscard]] std::string age_text(std::chrono::nanoseconds duration);

// The same in whole seconds, for a clock that ticks once a second: "9 s", "2:05 min".
[[nodiscard]] std::string clock_text(std::chrono::nanoseconds duration);

// "1 test", "2 tests".
[[nodiscard]] std::string counted(std::size_t count, std::string_view what);

}  // namespace hearth::client
