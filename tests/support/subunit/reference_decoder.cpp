#include "tests/support/subunit/reference_decoder.hpp"

#include <algorithm>

namespace hearth::protocol::test {
namespace {

unsigned value(std::byte byte) {
  return std::to_integer<unsigned>(byte);
}

std::uint32_t slow_crc(ByteView bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (std::byte byte : bytes) {
    crc ^= value(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
  }
  return ~crc;
}

// A UTF-8 automaton (RFC 3629): how many bytes are missing, and what the next one has to be.
class Utf8 {
 public:
  [[nodiscard]] bool takes(unsigned byte) const {
    return m_good && m_missing > 0 && byte >= m_least && byte <= m_most;
  }
  [[nodiscard]] bool complete() const { return m_good && m_missing == 0; }

  void put(unsigned byte) {
    if (takes(byte)) {
      --m_missing;
      m_least = 0x80;
      m_most = 0xBF;
      return;
    }
    m_good = m_good && m_missing == 0 && (byte < 0x80 || (byte >= 0xC2 && byte <= 0xF4));
    m_missing = byte < 0x80 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    m_least = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    m_most = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  }

 private:
  bool m_good = true;
  int m_missing = 0;
  unsigned m_least = 0;
  unsigned m_most = 0;
};

bool is_string(ByteView bytes) {
  Utf8 utf8;
  for (std::byte byte : bytes) {
    if (byte == std::byte{0}) return false;
    utf8.put(value(byte));
  }
  return utf8.complete();
}

// Section 3, "Fields": takes them from the front of `rest`; `good` turns false at the first that is
// wrong.
struct Fields {
  ByteView rest;
  bool good = true;

  std::size_t number() {
    if (rest.empty()) return fail();
    const std::size_t size = (value(rest[0]) >> 6) + 1;
    if (rest.size() < size) return fail();
    std::size_t number = value(rest[0]) & 0x3F;
    for (std::size_t i = 1; i < size; ++i) number = number << 8 | value(rest[i]);
    rest = rest.subspan(size);
    return number;
  }
  ByteView bytes(std::size_t size) {
    if (rest.size() < size) size = fail();
    const ByteView taken = rest.first(size);
    rest = rest.subspan(size);
    return taken;
  }
  void string() {
    const std::size_t size = number();
    if (good && !is_string(bytes(size))) fail();
  }
  std::size_t fail() {
    good = false;
    return 0;
  }
};

bool well_formed(ByteView packet) {
  const unsigned flags = value(packet[1]) << 8 | value(packet[2]);
  Fields fields{packet.subspan(3, packet.size() - 7)};
  fields.number();
  if ((flags & 0x0200) != 0) {
    fields.bytes(4);
    fields.number();
  }
  if ((flags & 0x0800) != 0) fields.string();
  if ((flags & 0x0080) != 0) {
    for (std::size_t tags = fields.number(); tags > 0 && fields.good; --tags) fields.string();
  }
  if ((flags & 0x0020) != 0) fields.string();
  if ((flags & 0x0040) != 0) {
    fields.string();
    fields.bytes(fields.number());
  }
  if ((flags & 0x0400) != 0) fields.string();
  return fields.good && fields.rest.empty();
}

// What a candidate is; `size`: of the packet, or of what is damaged.
struct Candidate {
  enum class Kind : std::uint8_t { text, incomplete, packet, bad_checksum, bad_header };
  Kind kind;
  std::size_t size = 0;
};

Candidate examine(ByteView bytes) {
  using Kind = Candidate::Kind;
  if (bytes.size() < 3 || bytes[0] != std::byte{0xB3} || value(bytes[1]) >> 4 != 2) {
    return {Kind::text};
  }
  if ((value(bytes[2]) & 8) != 0) return {Kind::bad_header, 3};
  if (bytes.size() < 4) return {Kind::text};
  const std::size_t length_size = (value(bytes[3]) >> 6) + 1;
  if (length_size == 4) return {Kind::bad_header, 4};
  if (bytes.size() < 3 + length_size) return {Kind::text};
  Fields fields{bytes.subspan(3)};
  const std::size_t size = fields.number();
  if (size < 3 + length_size + 4) return {Kind::bad_header, 3 + length_size};
  if (bytes.size() < size) return {Kind::incomplete, size};
  const ByteView stored = bytes.subspan(size - 4, 4);
  std::uint32_t crc = 0;
  for (std::byte byte : stored) crc = crc << 8 | value(byte);
  return {slow_crc(bytes.first(size - 4)) == crc ? Kind::packet : Kind::bad_checksum, size};
}

class Reference {
 public:
  explicit Reference(ByteView stream) : m_stream(stream) {}

  std::vector<Span> run() {
    while (m_at < m_stream.size()) step();
    close(m_at);
    return std::move(m_spans);
  }

 private:
  void step() {
    if (m_damage_end != 0 && m_at == m_damage_end) close(m_at);
    const unsigned byte = value(m_stream[m_at]);
    const bool in_character = m_at >= m_packet_meant_until && m_utf8.takes(byte);
    const Candidate candidate =
        in_character ? Candidate{Candidate::Kind::text} : examine(m_stream.subspan(m_at));
    if (candidate.kind == Candidate::Kind::packet) {
      take_packet(candidate.size);
      return;
    }
    const bool synchronised = m_at == m_boundary || m_stream[m_at - 1] == std::byte{'\n'};
    const bool bad = candidate.kind == Candidate::Kind::bad_checksum ||
                     candidate.kind == Candidate::Kind::bad_header;
    if (candidate.kind == Candidate::Kind::incomplete && synchronised) {
      m_packet_meant_until = std::max(m_packet_meant_until, m_at + candidate.size);
    }
    if (bad && synchronised && m_damage_end == 0) {
      close(m_at);
      m_damage_end = m_at + candidate.size;
      m_packet_meant_until = std::max(m_packet_meant_until, m_damage_end);
      m_damage_is_boundary = candidate.kind == Candidate::Kind::bad_checksum;
    }
    if (byte == '\n') m_utf8 = {};
    m_utf8.put(byte);
    ++m_at;
  }

  void take_packet(std::size_t size) {
    close(m_at);
    const bool good = well_formed(m_stream.subspan(m_at, size));
    m_spans.push_back({good ? Span::Kind::packet : Span::Kind::malformed, m_at, m_at + size});
    m_at += size;
    m_begin = m_boundary = m_packet_meant_until = m_at;
    m_utf8 = {};
  }

  // Ends the text or the damage that reaches up to `end`.
  void close(std::size_t end) {
    const bool damage = m_damage_end != 0;
    if (damage && end == m_damage_end && m_damage_is_boundary) {
      m_boundary = m_packet_meant_until = end;
      m_utf8 = {};
    }
    m_damage_end = 0;
    if (m_begin == end) return;
    m_spans.push_back({damage ? Span::Kind::damaged : Span::Kind::text, m_begin, end});
    m_begin = end;
  }

  ByteView m_stream;
  std::vector<Span> m_spans;
  std::size_t m_at = 0;
  std::size_t m_begin = 0;  // of what is not yet in m_spans
  std::size_t m_boundary = 0;
  std::size_t m_packet_meant_until = 0;
  std::size_t m_damage_end = 0;  // 0: what reaches up to m_at is text
  bool m_damage_is_boundary = false;
  Utf8 m_utf8;
};

bool is_field_damage(Damage reason) {
  return reason != Damage::checksum && reason != Damage::reserved_flag &&
         reason != Damage::packet_length;
}

Span span_of(const DecodeEvent& event, std::size_t begin) {
  if (const auto* packet = std::get_if<PacketView>(&event)) {
    return {Span::Kind::packet, begin, begin + packet->wire.size()};
  }
  if (const auto* damaged = std::get_if<DamagedPacket>(&event)) {
    const auto kind =
        is_field_damage(damaged->reason) ? Span::Kind::malformed : Span::Kind::damaged;
    return {kind, begin, begin + damaged->bytes.size()};
  }
  return {Span::Kind::text, begin, begin + std::get<ForeignBytes>(event).bytes.size()};
}

ByteView bytes_of(const DecodeEvent& event) {
  if (const auto* packet = std::get_if<PacketView>(&event)) return packet->wire;
  if (const auto* damaged = std::get_if<DamagedPacket>(&event)) return damaged->bytes;
  return std::get<ForeignBytes>(event).bytes;
}

void collect(PacketDecoder& decoder, ByteView stream, std::vector<Span>& spans) {
  while (const auto event = decoder.next()) {
    const Span span = span_of(*event, spans.empty() ? 0 : spans.back().end);
    const ByteView expected = stream.subspan(span.begin, span.end - span.begin);
    if (!std::ranges::equal(bytes_of(*event), expected)) {
      throw std::logic_error("an event's bytes are not the stream's");
    }
    const bool joins =
        span.kind == Span::Kind::text && !spans.empty() && spans.back().kind == Span::Kind::text;
    if (joins) {
      spans.back().end = span.end;
    } else {
      spans.push_back(span);
    }
  }
}

}  // namespace

std::vector<Span> reference_decode(ByteView stream) {
  return Reference(stream).run();
}

std::vector<Span> decode_spans(ByteView stream, std::span<const std::size_t> pieces) {
  PacketDecoder decoder;
  std::vector<Span> spans;
  ByteView rest = stream;
  for (std::size_t turn = 0; !rest.empty(); ++turn) {
    const std::size_t wanted = pieces.empty() ? 0 : pieces[turn % pieces.size()];
    const std::size_t size = wanted == 0 ? rest.size() : std::min(wanted, rest.size());
    decoder.feed(rest.first(size));
    rest = rest.subspan(size);
    collect(decoder, stream, spans);
  }
  decoder.finish();
  collect(decoder, stream, spans);
  return spans;
}

}  // namespace hearth::protocol::test
