// The rules of spec/subunit-v2.md, section 5, on a whole stream and as they are written: slow,
// plain, and nothing shared with the decoder under test but the types. Tests and fuzzers compare
// the two.
#pragma once

#include "protocol/subunit_v2.hpp"
#include "tests/support/subunit/subunit_json.hpp"

namespace hearth::protocol::test {

// Kind and bytes of an event, without a packet's fields.
struct Span {
  enum class Kind : std::uint8_t { text, packet, malformed, damaged };
  Kind kind;
  std::size_t begin;
  std::size_t end;
  bool operator==(const Span&) const = default;
};

// Texts next to each other are one.
[[nodiscard]] std::vector<Span> reference_decode(ByteView stream);

// What `decoder` makes of `stream`, fed in pieces of these sizes in turn (0: all that is left), to
// its end.
[[nodiscard]] std::vector<Span> decode_spans(ByteView stream, std::span<const std::size_t> pieces);

}  // namespace hearth::protocol::test
