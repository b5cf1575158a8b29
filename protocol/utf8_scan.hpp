// Text as the stream carries it, piece by piece: UTF-8, and what is done where it is not. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth::protocol {

// The length of the well-formed character at the front; 0: none; -1: cut off.
[[nodiscard]] int character_length(std::string_view bytes);

struct Utf8Scan {
  std::size_t valid;    // bytes of the longest prefix of whole, well-formed characters
  bool may_be_cut_off;  // what follows it may be the beginning of one more
};
[[nodiscard]] Utf8Scan scan_utf8(std::string_view bytes);

// The text with every byte that is no UTF-8, and every NUL, written as \xNN.
[[nodiscard]] std::string as_text(std::string_view bytes);

}  // namespace hearth::protocol
