#include "protocol/armour_scanner.hpp"

#include <algorithm>
#include <utility>

namespace hearth::protocol::armour {
namespace {

constexpr std::size_t longest_candidate = 2 * longest_line;  // with control characters in it

bool is_control(std::byte c) {
  return c < std::byte{0x20} || c == std::byte{0x7F};
}

bool is_line_end(std::byte c) {
  return c == std::byte{'\r'} || c == std::byte{'\n'} || c == std::byte{0};
}

std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename Belongs>
ByteView take_while(ByteView& bytes, Belongs belongs) {
  const auto end = std::find_if_not(bytes.begin(), bytes.end(), belongs);
  const auto size = static_cast<std::size_t>(end - bytes.begin());
  const ByteView taken = bytes.first(size);
  bytes = bytes.subspan(size);
  return taken;
}

}  // namespace

bool Scanner::scan(ByteView& bytes) {
  while (!bytes.empty()) {
    switch (m_state) {
      case State::text:
        take_text(bytes);
        break;
      case State::line_end:
        take_line_end(bytes);
        break;
      case State::colon:
        take_space(bytes);
        break;
      case State::body:
        if (take_body(bytes)) return true;
    }
  }
  return false;
}

void Scanner::take_text(ByteView& bytes) {
  add_foreign(text_of(take_while(bytes, [](std::byte c) { return c != std::byte{':'}; })));
  if (bytes.empty()) return;
  bytes = bytes.subspan(1);
  m_raw = ":";
  m_controls = false;
  m_state = State::colon;
}

void Scanner::take_line_end(ByteView& bytes) {
  (void)take_while(bytes, is_line_end);
  if (!bytes.empty()) m_state = State::text;
}

void Scanner::take_space(ByteView& bytes) {
  const std::byte c = bytes.front();
  const bool skipped = is_control(c) && c != std::byte{'\r'} && c != std::byte{'\n'};
  if ((c != std::byte{' '} && !skipped) || m_raw.size() > longest_candidate) return give_up();
  bytes = bytes.subspan(1);
  m_raw += static_cast<char>(c);
  if (skipped) {
    m_controls = true;
  } else {
    m_state = State::body;
  }
}

bool Scanner::take_body(ByteView& bytes) {
  const ByteView run = take_while(bytes, is_body_character);
  m_raw += text_of(run.first(std::min(run.size(), longest_candidate + 1)));
  if (m_raw.size() > longest_candidate) {
    give_up();
    add_foreign(text_of(run.subspan(std::min(run.size(), longest_candidate + 1))));
    return false;
  }
  if (bytes.empty()) return false;
  const std::byte c = bytes.front();
  if (c != std::byte{'.'} && !is_control(c)) {
    give_up();
    return false;
  }
  bytes = bytes.subspan(1);
  m_raw += static_cast<char>(c);
  if (c != std::byte{'.'}) {
    m_controls = true;
    return false;
  }
  m_state = State::line_end;
  if (decode()) return true;
  reject();
  return false;
}

bool Scanner::decode() {
  const auto between = [](std::string_view line) { return line.substr(2, line.size() - 3); };
  if (!m_controls) return decode_text(between(m_raw), m_body);
  std::string clean = m_raw;
  std::erase_if(clean, [](char c) { return is_control(static_cast<std::byte>(c)); });
  return decode_text(between(clean), m_body);
}

void Scanner::reject() {
  add_foreign(m_raw);
  m_raw.clear();
  m_state = State::text;
}

void Scanner::give_up() {
  if (m_state == State::colon || m_state == State::body) reject();
}

void Scanner::add_foreign(std::string_view text) {
  // Once something was dropped, all is, until it has been said: the text has no gap inside.
  const std::size_t room = m_dropped != 0 ? 0 : max_foreign - m_foreign.size();
  const std::size_t taken = std::min(room, text.size());
  m_foreign += text.substr(0, taken);
  m_dropped += text.size() - taken;
}

std::uint64_t Scanner::take_foreign(std::string& text) {
  text = std::exchange(m_foreign, {});
  return std::exchange(m_dropped, 0);
}

}  // namespace hearth::protocol::armour
