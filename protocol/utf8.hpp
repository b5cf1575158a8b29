// What subunit v2 asks of its strings: UTF-8 (RFC 3629: no surrogates, no overlong forms) without
// NUL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hearth::protocol {

enum class StringFault : std::uint8_t { none, nul, not_utf8 };

// The fault that comes first. Same verdict as Python's strict decoder for every input.
[[nodiscard]] StringFault check_string(std::string_view text);

// True when `bytes`, at most the last three before some byte `next`, end inside a character that
// `next` continues: when a packet cannot begin at `next` (spec/subunit-v2.md, "Resynchronisation").
[[nodiscard]] bool continues_character(std::span<const std::byte> bytes, std::byte next);

}  // namespace hearth::protocol
