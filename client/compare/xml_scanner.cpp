#include "client/compare/xml_scanner.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace hearth::client {
namespace {

constexpr std::string_view blanks = " \t\r\n";

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18 & 0x07));
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// `name` is what stands between & and ;. False: not known.
bool append_reference(std::string& out, std::string_view name) {
  constexpr std::array<std::pair<std::string_view, char>, 5> entities{
      {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [entity, character] : entities) {
    if (name != entity) continue;
    out += character;
    return true;
  }
  if (!name.starts_with('#')) return false;
  const bool hex = name.starts_with("#x");
  const auto digits = name.substr(hex ? 2 : 1);
  unsigned code = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || code > 0x10FFFF) return false;
  append_utf8(out, code);
  return true;
}

}  // namespace

std::string XmlTag::attribute(const std::string& wanted) const {
  const auto found = attributes.find(wanted);
  return found == attributes.end() ? std::string() : found->second;
}

std::optional<XmlTag> XmlScanner::next() {
  while (true) {
    m_text.remove_prefix(std::min(m_text.find('<'), m_text.size()));
    if (m_text.empty()) return std::nullopt;
    m_text.remove_prefix(1);
    const bool comment = m_text.starts_with("!--");
    if (!comment && !m_text.starts_with('!') && !m_text.starts_with('?')) break;
    m_text.remove_prefix(std::min(m_text.find(comment ? "-->" : ">"), m_text.size()));
  }
  XmlTag tag;
  tag.closes = m_text.starts_with('/');
  if (tag.closes) m_text.remove_prefix(1);
  tag.name = take_until(" \t\r\n/>");
  while (read_attribute(tag)) {
  }
  if (m_text.starts_with('/')) {
    tag.empty = true;
    m_text.remove_prefix(1);
  }
  if (!m_text.starts_with('>')) return std::nullopt;
  m_text.remove_prefix(1);
  return tag;
}

bool XmlScanner::read_attribute(XmlTag& tag) {
  skip_blanks();
  if (m_text.empty() || m_text.front() == '/' || m_text.front() == '>') return false;
  const auto name = take_until(" \t\r\n=/>");
  skip_blanks();
  if (!m_text.starts_with('=')) return false;
  m_text.remove_prefix(1);
  skip_blanks();
  if (!m_text.starts_with('"') && !m_text.starts_with('\'')) return false;
  const auto quote = m_text.substr(0, 1);
  m_text.remove_prefix(1);
  const auto value = take_until(quote);
  if (m_text.empty()) return false;
  m_text.remove_prefix(1);
  tag.attributes[std::string(name)] = xml_unescaped(value);
  return true;
}

void XmlScanner::skip_blanks() {
  m_text.remove_prefix(std::min(m_text.find_first_not_of(blanks), m_text.size()));
}

std::string_view XmlScanner::take_until(std::string_view stops) {
  const auto taken = m_text.substr(0, m_text.find_first_of(stops));
  m_text.remove_prefix(taken.size());
  return taken;
}

std::string xml_unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto start = std::min(text.find('&'), text.size());
    out += text.substr(0, start);
    text.remove_prefix(start);
    if (text.empty()) break;
    const auto end = text.find(';');
    if (end != std::string_view::npos && append_reference(out, text.substr(1, end - 1))) {
      text.remove_prefix(end + 1);
    } else {
      out += '&';
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace hearth::client
