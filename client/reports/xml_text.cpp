#include "client/reports/xml_text.hpp"

#include "client/text.hpp"

namespace hearth::client {
namespace {

// The only code points that printable() lets through and XML does not: U+FFFE and U+FFFF.
bool is_no_character(std::string_view text) {
  return text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
}

std::string escaped(std::string_view bytes, bool attribute) {
  const auto text = printable(bytes);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (attribute && c == '"')
      out += "&quot;";
    else if (attribute && c == '\n')
      out += "&#10;";
    else if (attribute && c == '\t')
      out += "&#9;";
    else if (c == '\xEF' && is_no_character(std::string_view(text).substr(i)))
      out += "\xEF\xBF\xBD", i += 2;
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string xml_text(std::string_view bytes) {
  return escaped(bytes, false);
}

std::string xml_attribute(std::string_view bytes) {
  return escaped(bytes, true);
}

}  // namespace hearth::client
