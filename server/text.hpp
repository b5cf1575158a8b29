// Text as the stream carries it: UTF-8, and what is done where it is not. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth::server {

struct Utf8Scan {
  std::size_t valid;     // bytes of the longest prefix of whole, well-formed characters
  bool may_be_cut_off;   // what follows it may be the beginning of one more
};
[[nodiscard]] Utf8Scan scan_utf8(std::string_view bytes);

// The text with every byte that is no UTF-8, and every NUL, written as \xNN.
[[nodiscard]] std::string as_text(std::string_view bytes);

// A test's id: `<program>.<name>`, control characters and what is no UTF-8 percent-escaped, and a % that would
// read as such an escape. spec/rpc.md, RPC-12.2.
[[nodiscard]] std::string make_test_id(std::string_view program, std::string_view name);

}  // namespace hearth::server
