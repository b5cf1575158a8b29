// The incremental decoder: finds packets among other bytes. spec/subunit-v2.md,
// "Resynchronisation".
//
// Three positions divide the buffer: its begin (what is before has been handed out), m_scan (what
// is between is known to be text, or belongs to the pending damage), and its end. While waiting,
// nothing can be said about the candidate at m_scan before m_need is reached.
//
// Time is linear in the stream. m_scan only moves forward, each step costs constant time but for
// checksums, and a candidate whose checksum holds is handed out whole: these checksums cover each
// byte once. Those that do not hold could be many and long: every fourth byte may begin a candidate
// of 4 MiB. What they cost is counted, and once it is out of proportion, checksums come from an
// index (crc_index.hpp) in constant time.
#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/crc32.hpp"
#include "protocol/crc_index.hpp"
#include "protocol/subunit_v2_packet.hpp"
#include "protocol/subunit_v2_wire.hpp"
#include "protocol/utf8.hpp"

namespace hearth::protocol {
namespace {
// Bytes of checksums in vain before the index takes over: this many, and this many for each byte
// scanned.
constexpr std::uint64_t free_waste = 4 * max_packet_size;
constexpr std::uint64_t waste_per_byte = 2;
}  // namespace

struct PacketDecoder::Impl {
  std::optional<DecodeEvent> next();
  void finish() { m_at_end = true; }
  [[nodiscard]] bool waiting() const { return m_need > m_buffer.end(); }
  void give_up_waiting();

  ReceiveBuffer m_buffer;

 private:
  enum class Verdict : std::uint8_t { text, wait, packet };
  // A damaged packet whose bytes are being looked through for whole ones. All of it is in the
  // buffer.
  struct PendingDamage {
    std::uint64_t begin;
    std::uint64_t end;
    Damage reason;
  };

  std::optional<DecodeEvent> scan();
  [[nodiscard]] bool find_candidate();
  void track(std::uint64_t end);
  void begin_at_boundary(std::uint64_t position);
  [[nodiscard]] Verdict judge();
  [[nodiscard]] bool checksum_holds(std::uint64_t begin, std::uint64_t end);
  [[nodiscard]] bool synchronised() const;
  void mean_packet_until(std::uint64_t end);
  void note_damage(std::size_t size, Damage reason);
  std::optional<DecodeEvent> take_packet();
  std::optional<DecodeEvent> take_damage(std::uint64_t end);
  std::optional<DecodeEvent> take_text(std::uint64_t end);

  bool m_at_end = false;
  std::uint64_t m_scan = 0;
  std::uint64_t m_need = 0;
  std::uint64_t m_packet_end = 0;  // not 0: a packet from m_scan to here, its checksum checked
  std::uint64_t m_boundary = 0;    // the last known: the stream's start, or the end of a packet
  std::uint64_t m_tracked = 0;     // m_characters knows the text since m_boundary up to here
  CharacterTracker m_characters;
  std::uint64_t m_packet_meant_until = 0;  // what is before is no text: every byte is a boundary
  std::optional<PendingDamage> m_damage;
  std::uint64_t m_wasted = 0;  // bytes under checksums that did not hold
  CrcIndex m_index;
};

std::optional<DecodeEvent> PacketDecoder::Impl::next() {
  if (m_packet_end != 0) return take_packet();
  if (waiting() && !m_at_end) return std::nullopt;
  m_need = 0;
  auto event = scan();
  if (!event && m_at_end) {  // a new stream begins here
    m_at_end = false;
    begin_at_boundary(m_scan);
  }
  return event;
}

std::optional<DecodeEvent> PacketDecoder::Impl::scan() {
  while (find_candidate()) {
    switch (judge()) {
      case Verdict::text:
        ++m_scan;
        break;
      case Verdict::wait:
        return m_damage ? std::nullopt : take_text(m_scan);
      case Verdict::packet:
        if (m_damage) return take_damage(m_scan);
        if (m_scan != m_buffer.begin()) return take_text(m_scan);
        return take_packet();
    }
    if (m_damage && m_damage->begin != m_buffer.begin()) return take_text(m_damage->begin);
  }
  return m_damage ? take_damage(m_scan) : take_text(m_scan);
}

// Moves m_scan to the next signature at a character boundary. Without one, to the end of the
// search.
bool PacketDecoder::Impl::find_candidate() {
  const std::uint64_t limit = m_damage ? m_damage->end : m_buffer.end();
  while (m_scan < limit) {
    const std::byte* const from = m_buffer.at(m_scan);
    if (*from != wire::signature) {
      const void* found = std::memchr(from, std::to_integer<int>(wire::signature), limit - m_scan);
      if (found == nullptr) break;
      m_scan += static_cast<std::uint64_t>(static_cast<const std::byte*>(found) - from);
    }
    if (m_scan < m_packet_meant_until || m_scan == m_boundary) return true;
    track(m_scan);
    if (!m_characters.continues_with(wire::signature)) return true;
    ++m_scan;
  }
  m_scan = limit;
  return false;
}

void PacketDecoder::Impl::track(std::uint64_t end) {
  m_characters.put(m_buffer.bytes(m_tracked, end));
  m_tracked = end;
}

void PacketDecoder::Impl::begin_at_boundary(std::uint64_t position) {
  m_scan = m_boundary = m_tracked = m_packet_meant_until = position;
  m_characters.reset();
}

PacketDecoder::Impl::Verdict PacketDecoder::Impl::judge() {
  const Header header = PacketParser::read_header(m_buffer.bytes(m_scan, m_buffer.end()));
  switch (header.kind) {
    case Header::Kind::text:
      return Verdict::text;
    case Header::Kind::incomplete:
      if (m_at_end) {
        if (synchronised()) mean_packet_until(m_scan + header.size);
        return Verdict::text;
      }
      m_need = m_scan + header.size;
      return Verdict::wait;
    case Header::Kind::damaged:
      note_damage(header.size, header.reason);
      return Verdict::text;
    case Header::Kind::packet:
      break;
  }
  if (checksum_holds(m_scan, m_scan + header.size)) {
    m_packet_end = m_scan + header.size;
    return Verdict::packet;
  }
  m_wasted += header.size;
  note_damage(header.size, Damage::checksum);
  return Verdict::text;
}

bool PacketDecoder::Impl::checksum_holds(std::uint64_t begin, std::uint64_t end) {
  const ByteView packet = m_buffer.bytes(begin, end);
  const std::uint64_t covered = end - wire::crc_size;
  const bool wasteful = m_wasted > free_waste + waste_per_byte * begin;
  const std::uint32_t crc =
      wasteful ? m_index.crc_of(m_buffer, begin, covered) : crc32(m_buffer.bytes(begin, covered));
  return crc == PacketParser::stored_crc(packet);
}

// What is wrong at m_scan is damage where there had to be a packet, and text anywhere else.
void PacketDecoder::Impl::note_damage(std::size_t size, Damage reason) {
  if (m_damage || !synchronised()) return;
  m_damage = {m_scan, m_scan + size, reason};
  mean_packet_until(m_damage->end);
}

bool PacketDecoder::Impl::synchronised() const {
  return m_scan == m_boundary || *m_buffer.at(m_scan - 1) == std::byte{'\n'};
}

void PacketDecoder::Impl::mean_packet_until(std::uint64_t end) {
  m_packet_meant_until = std::max(m_packet_meant_until, end);
}

std::optional<DecodeEvent> PacketDecoder::Impl::take_packet() {
  const ByteView bytes = m_buffer.bytes(m_scan, m_packet_end);
  begin_at_boundary(std::exchange(m_packet_end, 0));
  m_buffer.consume_until(m_scan);
  std::optional<DecodeEvent> event(std::in_place, std::in_place_type<PacketView>);
  const auto fault = PacketParser::parse(bytes, *std::get_if<PacketView>(&*event));
  if (fault) event = DamagedPacket{*fault, bytes};
  return event;
}

std::optional<DecodeEvent> PacketDecoder::Impl::take_damage(std::uint64_t end) {
  const PendingDamage damage = *std::exchange(m_damage, std::nullopt);
  // Where a damaged packet claims to end, the next one may begin.
  if (damage.reason == Damage::checksum && end == damage.end) {
    begin_at_boundary(end);
  } else {
    track(end);
  }
  m_buffer.consume_until(end);
  return DamagedPacket{damage.reason, m_buffer.bytes(damage.begin, end)};
}

std::optional<DecodeEvent> PacketDecoder::Impl::take_text(std::uint64_t end) {
  const std::uint64_t begin = m_buffer.begin();
  if (begin == end) return std::nullopt;
  track(end);
  m_buffer.consume_until(end);
  return ForeignBytes{m_buffer.bytes(begin, end)};
}

void PacketDecoder::Impl::give_up_waiting() {
  if (!waiting()) return;
  m_need = 0;
  ++m_scan;
}

PacketDecoder::PacketDecoder() : m_impl(std::make_unique<Impl>()) {}
PacketDecoder::~PacketDecoder() = default;
PacketDecoder::PacketDecoder(PacketDecoder&&) noexcept = default;
PacketDecoder& PacketDecoder::operator=(PacketDecoder&&) noexcept = default;

void PacketDecoder::feed(ByteView bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
}
std::span<std::byte> PacketDecoder::prepare(std::size_t size) {
  return m_impl->m_buffer.prepare(size);
}
void PacketDecoder::commit(std::size_t size) {
  m_impl->m_buffer.commit(size);
}

std::optional<DecodeEvent> PacketDecoder::next() {
  return m_impl->next();
}
void PacketDecoder::finish() {
  m_impl->finish();
}
bool PacketDecoder::waiting() const {
  return m_impl->waiting();
}
void PacketDecoder::give_up_waiting() {
  m_impl->give_up_waiting();
}

}  // namespace hearth::protocol
