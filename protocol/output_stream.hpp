// One stream of a test's output on its way into attachments, byte for byte: text as long as it is
// UTF-8, octets from the first byte on that is not (in an attachment `<name>.bin` of their own if
// there was text before), and cut at the limit, which the result then says. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace hearth::protocol {

class OutputStream {
 public:
  // Takes a piece of the attachment `file_name`.
  using Emit = std::function<void(std::string_view file_name, std::string_view mime_type,
                                  std::string_view content, bool last)>;

  // `limit` in bytes; 0: none.
  OutputStream(std::string name, std::uint64_t limit) : m_name(std::move(name)), m_limit(limit) {}

  void add(std::string_view bytes, const Emit& emit);
  // What comes next is another process's: no character goes across.
  void interrupt(const Emit& emit);
  void finish(const Emit& emit);

 private:
  enum class Kind : std::uint8_t { nothing, text, octets };

  void add_text(std::string_view bytes, const Emit& emit);
  void become_octets(std::string_view bytes, const Emit& emit);

  std::string m_name;  // of the attachment
  std::uint64_t m_limit;
  std::uint64_t m_kept = 0;
  std::uint64_t m_cut = 0;
  std::string m_unfinished;  // the beginning of a character
  Kind m_kind = Kind::nothing;
};

}  // namespace hearth::protocol
