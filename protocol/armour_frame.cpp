#include "protocol/armour_frame.hpp"

#include <array>
#include <boost/crc.hpp>

namespace hearth::protocol::armour {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_value = 0xFF;
constexpr std::size_t crc_size = 4;
constexpr std::uint8_t side_bit = 0x80;

constexpr auto make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_value);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}
constexpr auto values = make_values();

std::uint32_t value_of(char c) {
  return values[static_cast<unsigned char>(c)];
}

void put(Bytes& out, std::uint32_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift & 0xFF));
}

std::uint32_t checksum(ByteView body, Kind kind, const SessionKey& key) {
  boost::crc_32_type crc;
  if (!is_handshake(kind)) {
    Bytes prefix;
    put(prefix, key.caller_nonce, 4);
    put(prefix, key.answerer_nonce, 4);
    crc.process_bytes(prefix.data(), prefix.size());
  }
  crc.process_bytes(body.data(), body.size());
  return crc.checksum();
}

void put_handshake(const Frame& frame, Bytes& out) {
  if (frame.kind != Kind::welcome) put(out, frame.min_version, 1);
  put(out, frame.max_version, 1);
  if (frame.kind != Kind::refuse) {
    put(out, frame.window, 1);
    put(out, frame.line, 2);
  }
  put(out, frame.nonces.caller_nonce, 4);
  if (frame.kind == Kind::welcome) put(out, frame.nonces.answerer_nonce, 4);
}

void put_session(const Frame& frame, Bytes& out) {
  put(out, frame.ack, 4);
  put(out, frame.credit, 1);
  if (is_sequenced(frame.kind)) put(out, frame.seq, 4);
  if (frame.kind == Kind::data || frame.kind == Kind::channel_end) put(out, frame.channel, 1);
  if (frame.kind == Kind::reset) put(out, frame.cause, 1);
  out.insert(out.end(), frame.payload.begin(), frame.payload.end());
}

void append_base64(ByteView body, Bytes& out) {
  const std::size_t from = out.size();
  out.resize(from + (body.size() * 4 + 2) / 3);
  std::byte* to = out.data() + from;
  std::size_t at = 0;
  const auto put_characters = [&](std::uint32_t word, int count) {
    for (int shift = 18; count > 0; shift -= 6, --count)
      *to++ = static_cast<std::byte>(alphabet[word >> shift & 63]);
  };
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(body[i]); };
  for (; at + 3 <= body.size(); at += 3)
    put_characters(byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2), 4);
  if (body.size() - at == 2) put_characters(byte(at) << 16 | byte(at + 1) << 8, 3);
  if (body.size() - at == 1) put_characters(byte(at) << 16, 2);
}

// Takes the fields of a body from its front.
class Fields {
 public:
  explicit Fields(ByteView bytes) : m_bytes(bytes) {}

  std::uint32_t number(std::size_t size) {
    if (m_bytes.size() < size) {
      m_whole = false;
      return 0;
    }
    std::uint32_t value = 0;
    for (const std::byte b : m_bytes.first(size))
      value = value << 8 | std::to_integer<std::uint32_t>(b);
    m_bytes = m_bytes.subspan(size);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  [[nodiscard]] ByteView rest() const { return m_bytes; }
  [[nodiscard]] bool whole() const { return m_whole; }

 private:
  ByteView m_bytes;
  bool m_whole = true;
};

void take_handshake(Fields& fields, Frame& frame) {
  if (frame.kind != Kind::welcome) frame.min_version = fields.u8();
  frame.max_version = fields.u8();
  if (frame.kind != Kind::refuse) {
    frame.window = fields.u8();
    frame.line = static_cast<std::uint16_t>(fields.number(2));
  }
  frame.nonces.caller_nonce = fields.number(4);
  if (frame.kind == Kind::welcome) frame.nonces.answerer_nonce = fields.number(4);
}

bool take_session(Fields& fields, Frame& frame) {
  frame.ack = fields.number(4);
  frame.credit = fields.u8();
  if (is_sequenced(frame.kind)) frame.seq = fields.number(4);
  if (frame.kind == Kind::data || frame.kind == Kind::channel_end) frame.channel = fields.u8();
  if (frame.kind == Kind::reset) frame.cause = fields.u8();
  frame.payload = fields.rest();
  if (frame.kind == Kind::data) return !frame.payload.empty();
  return frame.payload.size() <= (frame.kind == Kind::ack ? max_bitmap : 0);
}

}  // namespace

void append_line(const Frame& frame, const SessionKey& key, Bytes& out) {
  Bytes body;
  body.reserve(data_overhead + frame.payload.size());
  const auto side = frame.side == Side::answerer ? side_bit : std::uint8_t{0};
  put(body, side | static_cast<std::uint32_t>(frame.kind), 1);
  is_handshake(frame.kind) ? put_handshake(frame, body) : put_session(frame, body);
  put(body, checksum(body, frame.kind, key), crc_size);
  out.push_back(std::byte{':'});
  out.push_back(std::byte{' '});
  append_base64(body, out);
  out.push_back(std::byte{'.'});
  out.push_back(std::byte{'\n'});
}

bool decode_text(std::string_view text, Bytes& out) {
  out.resize(text.size() * 3 / 4);
  if (text.size() % 4 == 1) return false;
  std::byte* to = out.data();
  std::uint32_t bad = 0;
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    const std::uint32_t a = value_of(text[at]), b = value_of(text[at + 1]),
                        c = value_of(text[at + 2]), d = value_of(text[at + 3]);
    bad |= a | b | c | d;
    const std::uint32_t word = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<std::byte>(word >> 16 & 0xFF);
    *to++ = static_cast<std::byte>(word >> 8 & 0xFF);
    *to++ = static_cast<std::byte>(word & 0xFF);
  }
  std::uint32_t word = 0;
  const std::size_t left = text.size() - at;
  for (std::size_t i = 0; i < left; ++i) {
    bad |= value_of(text[at + i]);
    word |= value_of(text[at + i]) << (18 - 6 * i);
  }
  if (left >= 2) *to++ = static_cast<std::byte>(word >> 16 & 0xFF);
  if (left == 3) *to++ = static_cast<std::byte>(word >> 8 & 0xFF);
  const bool spare_bits = left == 2 ? (word & 0xFFFF) != 0 : (word & 0xFF) != 0;
  return bad < alphabet.size() && !(left != 0 && spare_bits);
}

std::optional<Frame> parse_body(ByteView body, const std::optional<SessionKey>& key) {
  if (body.size() <= crc_size) return std::nullopt;
  const auto first = std::to_integer<std::uint8_t>(body.front());
  Frame frame;
  frame.side = (first & side_bit) != 0 ? Side::answerer : Side::caller;
  const auto kind = static_cast<std::uint8_t>(first & ~side_bit);
  if (kind < static_cast<int>(Kind::hello) || kind > static_cast<int>(Kind::reset))
    return std::nullopt;
  frame.kind = static_cast<Kind>(kind);
  if (!is_handshake(frame.kind) && !key) return std::nullopt;
  const ByteView content = body.first(body.size() - crc_size);
  Fields stored(body.last(crc_size));
  if (checksum(content, frame.kind, key.value_or(SessionKey{})) != stored.number(crc_size))
    return std::nullopt;
  Fields fields(content.subspan(1));
  if (is_handshake(frame.kind)) {
    take_handshake(fields, frame);
  } else if (!take_session(fields, frame)) {
    return std::nullopt;
  }
  return fields.whole() ? std::optional(frame) : std::nullopt;
}

bool is_body_character(std::byte c) {
  return values[std::to_integer<std::size_t>(c)] != no_value;
}

}  // namespace hearth::protocol::armour
