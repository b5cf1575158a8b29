// Finds the frames of the console armour among whatever else a console says. spec/tunnel.md,
// section 4. Every byte is part of a frame, the line end behind one, or foreign text.
#pragma once

#include <string>

#include "protocol/armour_frame.hpp"

namespace hearth::protocol::armour {

class Scanner {
 public:
  // Foreign text that is kept until somebody takes it; above, it is counted only.
  static constexpr std::size_t max_foreign = std::size_t{64} * 1024;

  // Takes bytes from the front of `bytes` up to the end of the next candidate that is base64url.
  // True: body() is its body, to be checked, and to be refused by reject() if it does not hold.
  // False: all bytes have been taken.
  [[nodiscard]] bool scan(ByteView& bytes);
  [[nodiscard]] ByteView body() const { return m_body; }
  // The last candidate was no frame: it is foreign text.
  void reject();

  // True while a mark with nothing behind it is held back: it may be a prompt that people wait for.
  [[nodiscard]] bool holds_mark() const {
    return m_state == State::colon || (m_state == State::body && m_raw.size() <= 2);
  }
  // What is held back is foreign text: nothing more came for a while, or nothing comes any more.
  void give_up();

  [[nodiscard]] bool has_foreign() const { return !m_foreign.empty() || m_dropped != 0; }
  // Hands over the foreign text so far, and how many bytes of it were dropped behind that.
  [[nodiscard]] std::uint64_t take_foreign(std::string& text);

 private:
  enum class State { text, colon, body, line_end };

  void add_foreign(std::string_view text);
  void take_text(ByteView& bytes);
  void take_line_end(ByteView& bytes);
  void take_space(ByteView& bytes);
  [[nodiscard]] bool take_body(ByteView& bytes);
  [[nodiscard]] bool decode();

  State m_state = State::text;
  std::string m_raw;        // the candidate as it came
  bool m_controls = false;  // has it control characters?
  Bytes m_body;
  std::string m_foreign;
  std::uint64_t m_dropped = 0;
};

}  // namespace hearth::protocol::armour
