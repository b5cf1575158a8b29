// Keeps attachments within what readers of a stream can hand on: python-subunit, and testr and
// stestr with it, join each attachment of a test that failed and write it as one packet, and die
// where that is too long. What is longer goes on in further attachments: `stdout`, `stdout.2`,
// `stdout.3`. Nothing is lost. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/subunit_v2.hpp"

namespace hearth::client {

class AttachmentLimit {
 public:
  // Bytes of one attachment: a packet holds 4 MiB, with the test's id, its tags and all else.
  static constexpr std::size_t default_limit = std::size_t{3} << 20;

  explicit AttachmentLimit(std::size_t limit = default_limit) : m_limit(limit) {}

  // A part of a packet's file content, for a packet of its own.
  struct Piece {
    std::string name;
    protocol::ByteView content;
    bool eof;
  };
  // Of a packet that `source` (a server) sent: empty where it stays as it is. The last piece is the
  // place of its status.
  [[nodiscard]] std::vector<Piece> pieces(std::uint64_t source, const protocol::PacketView& packet);

 private:
  struct Attached {
    unsigned part = 1;
    std::size_t size = 0;  // of this part
  };
  struct Key {
    std::uint64_t source;
    std::string id;
    std::string route_code;
    auto operator<=>(const Key&) const = default;
  };

  std::size_t m_limit;
  // Of tests without a final status; by name.
  std::map<Key, std::map<std::string, Attached, std::less<>>> m_open;
};

}  // namespace hearth::client
