#include "protocol/message_assembler.hpp"

namespace hearth::protocol {
namespace {

constexpr std::size_t max_outline = std::size_t{256} * 1024;
constexpr std::size_t kept_capacity =
    std::size_t{64} * 1024;  // of a message's buffer, from one message to the next
constexpr std::string_view white_space = " \t\n\r";

bool is_white_space(char c) {
  return white_space.find(c) != std::string_view::npos;
}
bool is_blank(std::string_view text) {
  return text.find_first_not_of(white_space) == std::string_view::npos;
}
bool begins_object(std::string_view text) {
  const auto first = text.find_first_not_of(white_space);
  return first != std::string_view::npos && text[first] == '{';
}
bool is_scalar_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '+' || c == '.';
}

}  // namespace

ObjectScanner::Progress ObjectScanner::scan(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size() && m_progress != Progress::broken;) {
    const auto next = scan_run(piece, at);
    m_scanned += next - at;
    at = next;
  }
  return m_progress;
}

std::string ObjectScanner::fault() const {
  return std::string(m_fault != nullptr ? m_fault : "") + " at byte " + std::to_string(m_scanned);
}

// Consumes at least one byte; returns where it stopped.
std::size_t ObjectScanner::scan_run(std::string_view piece, std::size_t from) {
  switch (m_inside) {
    case Inside::string:
      return scan_string(piece, from);
    case Inside::escape:
      if (m_depth == 1) keep(piece.substr(from, 1));
      m_inside = Inside::string;
      return from + 1;
    case Inside::scalar:
      if (is_scalar_char(piece[from])) return scan_scalar(piece, from);
      m_inside = Inside::structure;
      value_ended();
      [[fallthrough]];
    case Inside::structure:
      scan_structure(piece[from]);
      return from + 1;
  }
  return piece.size();
}

std::size_t ObjectScanner::scan_string(std::string_view piece, std::size_t from) {
  auto at = from;
  while (at < piece.size() && piece[at] != '"' && piece[at] != '\\' &&
         static_cast<unsigned char>(piece[at]) >= 0x20)
    ++at;
  if (at == piece.size()) {
    if (m_depth == 1) keep(piece.substr(from));
    return at;
  }
  if (m_depth == 1) keep(piece.substr(from, at + 1 - from));
  if (piece[at] == '\\') {
    m_inside = Inside::escape;
  } else if (piece[at] == '"') {
    m_inside = Inside::structure;
    if (m_string_is_key)
      m_expect = Expect::colon;
    else
      value_ended();
  } else {
    fail("a control character in a string");
  }
  return at + 1;
}

std::size_t ObjectScanner::scan_scalar(std::string_view piece, std::size_t from) {
  auto at = from;
  while (at < piece.size() && is_scalar_char(piece[at])) ++at;
  if (m_depth == 1) keep(piece.substr(from, at - from));
  return at;
}

void ObjectScanner::scan_structure(char c) {
  if (is_white_space(c)) return;
  if (m_progress == Progress::complete) return fail("something after the object");
  if (m_depth == 0) {
    if (c != '{') return fail("a message is a JSON object, this is something else");
    m_progress = Progress::open;
    return open(true);
  }
  const bool value_here = m_expect == Expect::value || m_expect == Expect::value_or_end;
  const bool key_here = m_expect == Expect::key || m_expect == Expect::key_or_end;
  const bool end_here = m_expect == Expect::comma_or_end || m_expect == Expect::key_or_end ||
                        m_expect == Expect::value_or_end;
  if (c == '"' && (value_here || key_here)) {
    m_inside = Inside::string;
    m_string_is_key = key_here;
    if (m_depth == 1) keep("\"");
  } else if ((c == '{' || c == '[') && value_here) {
    open(c == '{');
  } else if ((c == '}' || c == ']') && end_here) {
    close(c == '}');
  } else if (c == ':' && m_expect == Expect::colon) {
    m_expect = Expect::value;
    if (m_depth == 1) keep(":");
  } else if (c == ',' && m_expect == Expect::comma_or_end) {
    m_expect = (m_objects >> (m_depth - 1) & 1) != 0 ? Expect::key : Expect::value;
    if (m_depth == 1) keep(",");
  } else if (is_scalar_char(c) && value_here) {
    m_inside = Inside::scalar;
    if (m_depth == 1) keep({&c, 1});
  } else {
    fail("not valid JSON");
  }
}

void ObjectScanner::open(bool object) {
  if (m_depth == max_message_depth) return fail("nested deeper than 64 levels");
  const auto bit = std::uint64_t{1} << m_depth;
  m_objects = object ? m_objects | bit : m_objects & ~bit;
  if (++m_depth <= 2) keep(object ? "{" : "[");
  m_expect = object ? Expect::key_or_end : Expect::value_or_end;
}

void ObjectScanner::close(bool object) {
  if (((m_objects >> (m_depth - 1) & 1) != 0) != object) return fail("not valid JSON");
  if (m_depth <= 2) keep(object ? "}" : "]");
  --m_depth;
  if (m_depth == 0)
    m_progress = Progress::complete;
  else
    value_ended();
}

void ObjectScanner::value_ended() {
  m_expect = Expect::comma_or_end;
}

void ObjectScanner::fail(const char* cause) {
  m_progress = Progress::broken;
  m_fault = cause;
}

void ObjectScanner::keep(std::string_view text) {
  if (m_outline_full) return;
  m_outline_full = m_outline.size() + text.size() > max_outline;
  if (m_outline_full)
    m_outline = {};
  else
    m_outline += text;
}

void MessageAssembler::add(ByteView content, bool eof) {
  const auto text = as_text(content);
  switch (m_state) {
    case State::ended:
      if (is_blank(text)) {  // the EOF of a message that was complete without it
        if (eof) m_state = State::idle;
        return;
      }
      [[fallthrough]];
    case State::idle:
      return start(text, eof);
    case State::open:
      return extend(text, eof);
    case State::skipping:
      if (begins_object(text)) return start(text, eof);
      if (eof) m_state = State::idle;
      return;
  }
}

void MessageAssembler::finish() {
  if (m_state == State::open) refuse("the stream ended in the middle of a message");
  m_state = State::idle;
}

std::optional<MessageAssembler::Outcome> MessageAssembler::take() {
  if (m_outcomes.empty()) return std::nullopt;
  auto outcome = std::move(m_outcomes.front());
  m_outcomes.pop_front();
  return outcome;
}

void MessageAssembler::start(std::string_view content, bool eof) {
  m_scanner = {};
  m_text.clear();
  m_oversized = false;
  m_state = State::open;
  if (eof && content.size() <= m_limit) {  // by far the most common: one packet, one message
    m_outcomes.push_back(parse_message(content));
    m_state = State::idle;
    return;
  }
  append(content);
  if (m_scanner.progress() == ObjectScanner::Progress::broken) return break_off(eof);
  if (eof || m_scanner.progress() == ObjectScanner::Progress::complete) complete(eof);
}

void MessageAssembler::extend(std::string_view content, bool eof) {
  append(content);
  if (m_scanner.progress() == ObjectScanner::Progress::broken) {
    break_off(eof);
    // What broke the message may be the next one: the sender stopped in the middle of the first.
    if (begins_object(content)) start(content, eof);
    return;
  }
  if (eof || m_scanner.progress() == ObjectScanner::Progress::complete) complete(eof);
}

void MessageAssembler::append(std::string_view content) {
  m_scanner.scan(content);
  if (m_oversized) return;
  m_oversized = m_text.size() + content.size() > m_limit;
  if (m_oversized)
    m_text = {};
  else
    m_text += content;
}

void MessageAssembler::complete(bool eof) {
  if (m_oversized)
    refuse_oversized();
  else
    m_outcomes.push_back(parse_message(m_text));
  m_state = eof ? State::idle : m_outcomes.back() ? State::ended : State::skipping;
  if (m_text.capacity() > kept_capacity) m_text = {};
}

void MessageAssembler::break_off(bool eof) {
  m_state = eof ? State::idle : State::skipping;
  refuse(m_scanner.fault());
}

void MessageAssembler::refuse(std::string reason) {
  m_text = {};
  m_outcomes.push_back(tl::unexpected(MessageError{std::move(reason), std::nullopt}));
}

void MessageAssembler::refuse_oversized() {
  refuse("longer than " + std::to_string(m_limit) + " bytes; split it");
  const auto outline = parse_message(m_scanner.outline());
  if (!outline) return;
  auto& nonce = m_outcomes.back().error().nonce;
  if (const auto* list = std::get_if<List>(&*outline)) nonce = list->nonce;
  if (const auto* run = std::get_if<Run>(&*outline)) nonce = run->nonce;
}

}  // namespace hearth::protocol
