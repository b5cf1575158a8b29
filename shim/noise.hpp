// What a server, or anything in its processes, prints beside the protocol: on its way into an
// attachment on the RPC's id, `stdout` or `stderr` (spec/connections.md, section 5). Each packet's
// type is that of what is in it. No descriptors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/subunit_v2.hpp"

namespace hearth::shim {

class Noise {
 public:
  static constexpr std::size_t max_pending = std::size_t{1}
                                             << 20;  // bytes that wait for the client
  static constexpr std::size_t max_tail = 4096;

  explicit Noise(std::string name) : m_name(std::move(name)) {}

  // How much add() takes.
  [[nodiscard]] std::size_t room() const {
    return m_pending.size() < max_pending ? max_pending - m_pending.size() : 0;
  }
  void add(std::string_view bytes);
  // Bytes that were read and not kept. What comes next says how many.
  void drop(std::string_view bytes);

  [[nodiscard]] bool pending() const { return !m_pending.empty(); }
  // Appends packets with at most `limit` bytes of what is pending. No character is torn apart: its
  // beginning waits for the rest.
  void take(std::size_t limit, protocol::Bytes& packets);
  // Nothing comes any more: appends all that is left, and the attachment's end if it has begun.
  void finish(protocol::Bytes& packets);

  // For a client that has a stream of its own for it: the bytes as they came.
  [[nodiscard]] std::string_view raw() const { return m_pending; }
  void consume_raw(std::size_t size) { m_pending.erase(0, size); }
  // Nothing comes any more.
  void finish_raw() { note_dropped(); }

  // The last of what came, dropped or not.
  [[nodiscard]] const std::string& tail() const { return m_tail; }

 private:
  void remember(std::string_view bytes);
  void note_dropped();
  void put(std::size_t size, bool last, protocol::Bytes& packets);

  std::string m_name;
  std::string m_pending;
  std::string m_tail;
  std::uint64_t m_dropped = 0;
  bool m_begun = false;         // a packet has gone out
  bool m_in_character = false;  // what comes next may begin with the rest of one that was dropped
};

}  // namespace hearth::shim
