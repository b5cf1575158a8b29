#include "protocol/subunit_v2_packet.hpp"

#include "protocol/subunit_v2_wire.hpp"
#include "protocol/utf8.hpp"

namespace hearth::protocol {

namespace {
constexpr std::size_t flags_end = 3;  // signature and flags

Header incomplete(std::size_t size) {
  return {Header::Kind::incomplete, size};
}
Header damaged(std::size_t size, Damage reason) {
  return {Header::Kind::damaged, size, reason};
}
}  // namespace

Header PacketParser::read_header(ByteView bytes) {
  if (bytes.size() < 2) return incomplete(min_packet_size);
  if (wire::load_u8(&bytes[1]) >> 4 != wire::version) return {Header::Kind::text};
  if (bytes.size() < flags_end) return incomplete(min_packet_size);
  if ((wire::load_u8(&bytes[2]) & wire::flag_reserved) != 0) {
    return damaged(flags_end, Damage::reserved_flag);
  }
  if (bytes.size() < flags_end + 1) return incomplete(min_packet_size);
  const std::size_t length_size = wire::number_size_from(&bytes[flags_end]);
  if (length_size > 3) return damaged(flags_end + 1, Damage::packet_length);
  const std::size_t header_size = flags_end + length_size;
  if (bytes.size() < header_size) return incomplete(header_size + wire::crc_size);
  const std::size_t size = wire::load_number(&bytes[flags_end], length_size);
  if (size < header_size + wire::crc_size) return damaged(header_size, Damage::packet_length);
  if (bytes.size() < size) return incomplete(size);
  return {Header::Kind::packet, size};
}

std::uint32_t PacketParser::stored_crc(ByteView packet) {
  return wire::load_u32(packet.data() + packet.size() - wire::crc_size);
}

// Takes one field after the other. The first fault stays, and ends all reading.
class PacketParser::Fields {
 public:
  // `at` to `end`: the packet without header and checksum. The checksum's four bytes can be read
  // behind it, so that a number can be loaded wherever one may begin.
  Fields(const std::byte* at, const std::byte* end) : m_at(at), m_end(end) {}

  std::uint32_t number() {
    const std::uint32_t word = wire::load_u32(m_at);
    const std::uint32_t size = (word >> 30) + 1;
    if (!take(size)) return 0;
    return (word & wire::max_number) >> (8 * (4 - size));
  }

  std::uint32_t u32() {
    const std::byte* const begin = m_at;
    return take(4) ? wire::load_u32(begin) : 0;
  }

  ByteView counted_bytes() {
    const std::uint32_t size = number();
    const std::byte* const begin = m_at;
    return take(size) ? ByteView(begin, size) : ByteView();
  }

  std::string_view string() {
    const std::string_view text = as_text(counted_bytes());
    const StringFault fault = check_string(text);
    if (fault != StringFault::none && !m_fault) {
      fail(fault == StringFault::nul ? Damage::string_nul : Damage::string_utf8);
    }
    return text;
  }

  Timestamp timestamp() {
    const std::int64_t seconds = u32();
    return Timestamp(std::chrono::seconds(seconds)) + std::chrono::nanoseconds(number());
  }

  TagList tags() {
    const std::size_t count = number();
    const std::byte* const begin = m_at;
    for (std::size_t index = 0; index < count && !m_fault; ++index) (void)string();
    return m_fault ? TagList() : TagList({begin, m_at}, count);
  }

  [[nodiscard]] std::optional<Damage> fault() const {
    if (!m_fault && m_at != m_end) return Damage::left_over;
    return m_fault;
  }

 private:
  bool take(std::size_t size) {
    if (static_cast<std::size_t>(m_end - m_at) < size) {
      if (!m_fault) fail(Damage::field_overrun);
      return false;
    }
    m_at += size;
    return true;
  }

  void fail(Damage reason) {
    m_fault = reason;
    m_at = m_end;
  }

  const std::byte* m_at;
  const std::byte* m_end;
  std::optional<Damage> m_fault;
};

std::optional<Damage> PacketParser::parse(ByteView packet, PacketView& view) {
  const std::byte* const begin = packet.data();
  const unsigned flags = wire::load_u16(begin + 1);
  Fields fields(begin + flags_end + wire::number_size_from(begin + flags_end),
                begin + packet.size() - wire::crc_size);
  view.wire = packet;
  view.status = static_cast<TestStatus>(flags & wire::status_mask);
  view.runnable = (flags & wire::flag_runnable) != 0;
  view.eof = (flags & wire::flag_eof) != 0;
  if ((flags & wire::flag_timestamp) != 0) view.timestamp = fields.timestamp();
  if ((flags & wire::flag_test_id) != 0) view.test_id = fields.string();
  if ((flags & wire::flag_tags) != 0) view.tags = fields.tags();
  if ((flags & wire::flag_mime_type) != 0) view.mime_type = fields.string();
  if ((flags & wire::flag_file_content) != 0) {
    view.file_name = fields.string();
    view.file_content = fields.counted_bytes();
  }
  if ((flags & wire::flag_route_code) != 0) view.route_code = fields.string();
  return fields.fault();
}

}  // namespace hearth::protocol
