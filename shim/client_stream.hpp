// What goes to the client: the server's stream as it comes, and packets of our own where one packet
// of it ends and the next has not begun. Bytes in a buffer; no descriptors.
#pragma once

#include <memory>
#include <span>

#include "shim/packet_boundaries.hpp"

namespace hearth::shim {

class ClientStream {
 public:
  // Room for `size` bytes of the server's stream, at its end; then how many came. False: at that
  // place there is no packet, and the bytes from there on are in rejected() and not in the stream.
  [[nodiscard]] std::span<std::byte> prepare(std::size_t size);
  [[nodiscard]] bool commit(std::size_t size);
  // Valid until the next call of anything else.
  [[nodiscard]] protocol::ByteView rejected() const { return m_rejected; }

  // Whether a packet can be put in, now.
  [[nodiscard]] bool can_insert() const { return m_last >= m_begin; }
  // Whole packets, at the first place where that is possible that is not before what the last
  // commit() or begin_append() added; if that has left already, at the last place there is.
  void insert(protocol::ByteView packets);
  // Whole packets of the server's, which were found in some other way than by commit().
  void begin_append() { m_first = m_end; }
  void append(protocol::ByteView packets);

  [[nodiscard]] protocol::ByteView view() const {
    return size() == 0 ? protocol::ByteView() : protocol::ByteView(m_data.get() + m_begin, size());
  }
  [[nodiscard]] std::size_t size() const { return m_end - m_begin; }
  void consume(std::size_t size);

  // There is something, and all of it says no more than that tests have begun: whole packets.
  [[nodiscard]] bool only_begun() const { return m_only_begun && at_boundary() && size() > 0; }

  // Bytes of the server's stream that may go to the client past this buffer, as it is empty and
  // they are the inside of a packet; then how many went.
  [[nodiscard]] std::size_t bypass() const { return size() == 0 ? m_boundaries.missing() : 0; }
  void bypassed(std::size_t size);
  // The server's stream is over, perhaps in the middle of a packet.
  void cut_off();

 private:
  void reserve(std::size_t size);
  void put(std::size_t position, protocol::ByteView bytes);
  void forget_boundaries();
  [[nodiscard]] bool at_boundary() const { return m_boundaries.since_boundary() == 0; }

  static constexpr std::size_t none = 0;

  PacketBoundaries m_boundaries;
  std::unique_ptr<std::byte[]> m_data;
  std::size_t m_capacity = 0;
  // One byte in front, so that a boundary that has gone is before m_begin.
  std::size_t m_begin = 1;
  std::size_t m_end = 1;
  std::size_t m_first = 1;   // boundaries in the buffer: see insert()
  std::size_t m_last = 1;    // none, or before m_begin: there is none
  bool m_only_begun = true;  // so far, of what is in the buffer
  protocol::ByteView m_rejected;
};

}  // namespace hearth::shim
