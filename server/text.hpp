// Text as the stream carries it: UTF-8, and what is done where it is not. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/utf8_scan.hpp"

namespace hearth::server {

using protocol::as_text;
using protocol::scan_utf8;
using protocol::Utf8Scan;

// A test's id: `<program>.<name>`, control characters and what is no UTF-8 percent-escaped, and a %
// that would read as such an escape. spec/rpc.md, RPC-12.2.
[[nodiscard]] std::string make_test_id(std::string_view program, std::string_view name);
// The id begins as those of the program's tests do.
[[nodiscard]] bool may_be_of(std::string_view program, std::string_view id);

}  // namespace hearth::server
