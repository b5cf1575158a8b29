// The attachments of the tests that are running, until their results come. Bounded: of a long
// attachment the beginning and the end are kept, and what is missing is said between them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/run/events.hpp"

namespace hearth::client {

class AttachmentStore {
 public:
  // Bytes: of one attachment, and of all together.
  static constexpr std::size_t attachment_limit = std::size_t{1} << 20;
  static constexpr std::size_t total_limit = std::size_t{32} << 20;

  // `source` tells executions of one test apart that run at the same time.
  void add(std::uint64_t source, const protocol::PacketView& packet);
  [[nodiscard]] std::vector<Attachment> take(std::uint64_t source, std::string_view id);
  [[nodiscard]] std::size_t bytes() const { return m_bytes; }

 private:
  struct Piece {
    std::string name;
    std::string mime_type;
    std::string head;
    std::string tail;  // up to attachment_limit bytes; the last half of them counts
    std::size_t size = 0;
  };
  struct Open {
    std::uint64_t source;
    std::string id;
    std::vector<Piece> pieces;
  };

  void append(Piece& piece, std::string_view content);
  [[nodiscard]] static Attachment finished(Piece& piece);

  std::vector<Open> m_open;  // as many as run at a time: few
  std::size_t m_bytes = 0;
};

}  // namespace hearth::client
