// Tests' ids, made of a program's name and what its framework calls the test. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hearth::server {

// A test's id: `<program>.<name>`, control characters and what is no UTF-8 percent-escaped, and a %
// that would read as such an escape. spec/rpc.md, RPC-12.2.
[[nodiscard]] std::string make_test_id(std::string_view program, std::string_view name);
// The id begins as those of the program's tests do.
[[nodiscard]] bool may_be_of(std::string_view program, std::string_view id);

}  // namespace hearth::server
