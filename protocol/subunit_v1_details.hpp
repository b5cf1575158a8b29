// The attachments of one outcome in subunit v1: what follows " [" or " [ multipart" up to "]".
// spec/subunit-v1.md, "Details".
#pragma once

#include <string>
#include <vector>

#include "protocol/subunit_v1.hpp"

namespace hearth::protocol::v1 {

// Takes bytes as they come, in whatever pieces, and keeps at most max_details of them.
class DetailsReader {
 public:
  enum class State : std::uint8_t { reading, complete, malformed };

  void begin_bracketed(TestStatus outcome);
  void begin_multipart();

  // How many of `bytes` were used up. 0 while reading(): more are needed to go on (never more than
  // max_line). After the end, the rest belongs to the lines that follow, a malformed line included.
  std::size_t read(std::string_view bytes);
  // At end of file: what read() left, part of a line, is content.
  void read_tail(std::string_view bytes);

  [[nodiscard]] State state() const { return m_state; }
  [[nodiscard]] std::string_view fault() const { return m_fault; }
  [[nodiscard]] std::vector<Attachment> take_attachments() { return std::move(m_attachments); }
  [[nodiscard]] std::size_t dropped() const { return m_dropped; }

 private:
  enum class Expect : std::uint8_t {
    bracketed_line,
    rest_of_line,  // of a bracketed line whose first characters have been seen
    content_type,
    name,
    chunk_size,
    chunk,
  };

  void restart(Expect expect);
  std::size_t read_bracketed_line(std::string_view bytes);
  std::size_t read_rest_of_line(std::string_view bytes);
  std::size_t read_control_line(std::string_view bytes);
  std::size_t read_chunk(std::string_view bytes);
  void control_line(std::string_view line);
  void content_type_line(std::string_view line);
  void chunk_size_line(std::string_view line);
  void begin_attachment(std::string name, std::string mime_type);
  void append(std::string_view content);
  void malformed(std::string_view fault);

  State m_state = State::complete;
  Expect m_expect = Expect::bracketed_line;
  std::string_view m_fault;
  std::vector<Attachment> m_attachments;
  std::size_t m_dropped = 0;
  std::size_t m_room = 0;          // what is left of max_details
  bool m_dropping = false;         // the attachment being read is not kept
  std::string m_mime_type;         // of the attachment whose name is next
  std::uint64_t m_chunk_left = 0;  // bytes of the chunk still to come
};

}  // namespace hearth::protocol::v1
