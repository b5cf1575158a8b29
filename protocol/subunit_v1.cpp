#include "protocol/subunit_v1.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/receive_buffer.hpp"
#include "protocol/subunit_v1_details.hpp"
#include "protocol/subunit_v1_directive.hpp"

namespace hearth::protocol::v1 {

struct Parser::Impl {
  std::optional<Event> next();

  ReceiveBuffer m_buffer;
  bool m_at_end = false;

 private:
  [[nodiscard]] std::string_view rest() const {
    return as_text(m_buffer.bytes(m_buffer.begin(), m_buffer.end()));
  }
  void consume(std::size_t size) { m_buffer.consume_until(m_buffer.begin() + size); }

  // Each: the next event; nullopt without progress: more bytes are needed.
  std::optional<Event> read_line();
  std::optional<Event> read_details();
  std::optional<Event> end_of_file();

  [[nodiscard]] std::optional<Event> understand(std::string_view line);
  [[nodiscard]] std::optional<Event> outcome(const Directive& directive);
  Event take_output(std::size_t size);
  [[nodiscard]] Event end_test();
  [[nodiscard]] Event break_test(std::string reason);

  bool m_in_test = false;
  bool m_in_details = false;
  bool m_in_long_line = false;   // the start of this line has been handed out
  std::uint64_t m_searched = 0;  // no newline before
  std::string m_test_id;
  TestStatus m_outcome = TestStatus::undefined;
  DetailsReader m_details;
};

std::optional<Event> Parser::Impl::next() {
  while (true) {
    const std::uint64_t before = m_buffer.begin();
    auto event = m_in_details ? read_details() : read_line();
    if (event) return event;
    if (m_buffer.begin() == before) return m_at_end ? end_of_file() : std::nullopt;
  }
}

std::optional<Event> Parser::Impl::read_line() {
  const std::string_view text = rest();
  const auto searched =
      static_cast<std::size_t>(std::max(m_searched, m_buffer.begin()) - m_buffer.begin());
  const std::size_t newline = text.find('\n', searched);
  m_searched = m_buffer.end();
  if (newline == std::string_view::npos || newline >= max_line) {
    if (text.size() < max_line) return std::nullopt;
    auto piece = take_output(max_line);
    m_searched = m_buffer.begin();
    m_in_long_line = true;
    return piece;
  }
  m_searched = m_buffer.begin() + newline + 1;
  if (std::exchange(m_in_long_line, false)) return take_output(newline + 1);
  const bool was_in_test = m_in_test;
  auto event = understand(text.substr(0, newline));
  const bool details_begin = m_in_details && was_in_test;
  if (!event && !details_begin) return take_output(newline + 1);
  consume(newline + 1);
  return event;
}

// The event of a directive. nullopt: a line of output, or details begin behind it.
std::optional<Event> Parser::Impl::understand(std::string_view line) {
  const auto directive = parse_directive(line);
  if (!directive) return std::nullopt;
  switch (directive->keyword) {
    case Keyword::test:
      if (m_in_test) return std::nullopt;
      m_in_test = true;
      m_test_id = directive->argument;
      return TestStarted{m_test_id};
    case Keyword::outcome:
      return m_in_test ? outcome(*directive) : std::nullopt;
    case Keyword::progress:
      return parse_progress(directive->argument);
    case Keyword::time:
      return parse_time(directive->argument);
    case Keyword::tags:
      return parse_tags(directive->argument);
  }
  return std::nullopt;
}

std::optional<Event> Parser::Impl::outcome(const Directive& directive) {
  std::string_view name = directive.argument;
  if (!name.starts_with(m_test_id)) return std::nullopt;
  name.remove_prefix(m_test_id.size());
  if (name.empty()) {
    m_outcome = directive.status;
    return end_test();
  }
  if (name == " [") {
    m_details.begin_bracketed(directive.status);
  } else if (name == " [ multipart") {
    m_details.begin_multipart();
  } else {
    return std::nullopt;
  }
  m_outcome = directive.status;
  m_in_details = true;
  return std::nullopt;
}

std::optional<Event> Parser::Impl::read_details() {
  consume(m_details.read(rest()));
  switch (m_details.state()) {
    case DetailsReader::State::reading:
      return std::nullopt;
    case DetailsReader::State::complete:
      return end_test();
    case DetailsReader::State::malformed:
      return break_test(std::string(m_details.fault()));
  }
  return std::nullopt;
}

std::optional<Event> Parser::Impl::end_of_file() {
  const std::string_view tail = rest();
  if (m_in_details) {
    m_details.read_tail(tail);
    consume(tail.size());
  } else if (!tail.empty()) {
    return take_output(tail.size());
  }
  m_in_long_line = false;
  if (m_in_test) return break_test("the stream ended before the test did");
  m_at_end = false;
  return std::nullopt;
}

Event Parser::Impl::take_output(std::size_t size) {
  ForeignLine line{std::string(rest().substr(0, size))};
  consume(size);
  return line;
}

Event Parser::Impl::end_test() {
  m_in_test = false;
  TestEnded ended{std::exchange(m_test_id, {}), m_outcome, {}, 0};
  if (std::exchange(m_in_details, false)) {
    ended.attachments = m_details.take_attachments();
    ended.dropped = m_details.dropped();
  }
  return ended;
}

Event Parser::Impl::break_test(std::string reason) {
  m_in_test = false;
  Damaged damaged{std::move(reason), std::exchange(m_test_id, {}), {}};
  if (std::exchange(m_in_details, false)) damaged.attachments = m_details.take_attachments();
  return damaged;
}

Parser::Parser() : m_impl(std::make_unique<Impl>()) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

void Parser::feed(ByteView bytes) {
  if (bytes.empty()) return;
  std::memcpy(m_impl->m_buffer.prepare(bytes.size()).data(), bytes.data(), bytes.size());
  m_impl->m_buffer.commit(bytes.size());
}

std::optional<Event> Parser::next() {
  return m_impl->next();
}
void Parser::finish() {
  m_impl->m_at_end = true;
}

}  // namespace hearth::protocol::v1
