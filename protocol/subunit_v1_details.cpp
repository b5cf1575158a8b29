#include "protocol/subunit_v1_details.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/rpc_packet.hpp"

namespace hearth::protocol::v1 {
namespace {

constexpr std::string_view type_field = "Content-Type: ";
constexpr std::size_t attachment_cost = 64;  // against max_details, besides name, type and content
constexpr std::uint64_t max_chunk = 0xFFFFFFFF;

std::string bracketed_name(TestStatus outcome) {
  if (outcome == TestStatus::skip) return "reason";
  return outcome == TestStatus::success ? "message" : "traceback";
}

}  // namespace

void DetailsReader::restart(Expect expect) {
  m_state = State::reading;
  m_expect = expect;
  m_attachments.clear();
  m_dropped = 0;
  m_room = max_details;
}

void DetailsReader::begin_bracketed(TestStatus outcome) {
  restart(Expect::bracketed_line);
  begin_attachment(bracketed_name(outcome), std::string(text_mime_type));
}

void DetailsReader::begin_multipart() {
  restart(Expect::content_type);
}

std::size_t DetailsReader::read(std::string_view bytes) {
  if (bytes.empty()) return 0;
  switch (m_expect) {
    case Expect::bracketed_line:
      return read_bracketed_line(bytes);
    case Expect::rest_of_line:
      return read_rest_of_line(bytes);
    case Expect::chunk:
      return read_chunk(bytes);
    default:
      return read_control_line(bytes);
  }
}

void DetailsReader::read_tail(std::string_view bytes) {
  if (m_expect == Expect::bracketed_line || m_expect == Expect::rest_of_line) append(bytes);
}

std::size_t DetailsReader::read_bracketed_line(std::string_view bytes) {
  const bool undecided = bytes == "]" || bytes == " ";
  if (undecided) return 0;
  if (bytes.starts_with("]\n")) {
    m_state = State::complete;
    return 2;
  }
  m_expect = Expect::rest_of_line;
  return bytes.starts_with(" ]") ? 1 : read_rest_of_line(bytes);  // the space is the escape
}

std::size_t DetailsReader::read_rest_of_line(std::string_view bytes) {
  const std::size_t newline = bytes.find('\n');
  if (newline != std::string_view::npos) {
    bytes = bytes.substr(0, newline + 1);
    m_expect = Expect::bracketed_line;
  }
  append(bytes);
  return bytes.size();
}

std::size_t DetailsReader::read_control_line(std::string_view bytes) {
  const std::size_t newline = bytes.substr(0, max_line).find('\n');
  if (newline == std::string_view::npos) {
    if (bytes.size() >= max_line) malformed("a line of the attachments is too long");
    return 0;
  }
  control_line(bytes.substr(0, newline));
  return m_state == State::malformed ? 0 : newline + 1;
}

void DetailsReader::control_line(std::string_view line) {
  if (m_expect == Expect::content_type) {
    content_type_line(line);
  } else if (m_expect == Expect::name) {
    begin_attachment(std::string(line), std::move(m_mime_type));
    m_expect = Expect::chunk_size;
  } else {
    chunk_size_line(line);
  }
}

void DetailsReader::content_type_line(std::string_view line) {
  if (line == "]") {
    m_state = State::complete;
    return;
  }
  const std::string_view type = line.substr(std::min(line.size(), type_field.size()));
  if (!line.starts_with(type_field) || std::count(type.begin(), type.end(), '/') != 1) {
    malformed("a Content-Type line was expected");
    return;
  }
  m_mime_type = type;
  m_expect = Expect::name;
}

void DetailsReader::chunk_size_line(std::string_view line) {
  const bool has_cr = line.ends_with('\r');
  if (has_cr) line.remove_suffix(1);
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  if (!has_cr || error != std::errc() || end != line.data() + line.size() || size > max_chunk) {
    malformed("a chunk's size was expected");
    return;
  }
  m_chunk_left = size;
  m_expect = size == 0 ? Expect::content_type : Expect::chunk;
}

std::size_t DetailsReader::read_chunk(std::string_view bytes) {
  bytes = bytes.substr(
      0, static_cast<std::size_t>(std::min<std::uint64_t>(m_chunk_left, bytes.size())));
  append(bytes);
  m_chunk_left -= bytes.size();
  if (m_chunk_left == 0) m_expect = Expect::chunk_size;
  return bytes.size();
}

void DetailsReader::begin_attachment(std::string name, std::string mime_type) {
  const std::size_t cost = attachment_cost + name.size() + mime_type.size();
  m_dropping = cost > m_room;
  if (m_dropping) {
    m_room = 0;
    ++m_dropped;
    return;
  }
  m_room -= cost;
  m_attachments.push_back({std::move(name), std::move(mime_type), {}, false});
}

void DetailsReader::append(std::string_view content) {
  if (m_dropping || content.empty()) return;
  Attachment& attachment = m_attachments.back();
  const ByteView kept = as_bytes(content.substr(0, m_room));
  attachment.content.insert(attachment.content.end(), kept.begin(), kept.end());
  attachment.truncated = attachment.truncated || kept.size() < content.size();
  m_room -= kept.size();
}

void DetailsReader::malformed(std::string_view fault) {
  m_state = State::malformed;
  m_fault = fault;
}

}  // namespace hearth::protocol::v1
