// Text as XML 1.0 can hold it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hearth::client {

// For the content of an element, or an attribute's value in double quotes: markup escaped; what XML
// has no characters for (control characters, bytes that are no UTF-8) as printable() shows it.
[[nodiscard]] std::string xml_text(std::string_view bytes);
[[nodiscard]] std::string xml_attribute(std::string_view bytes);

}  // namespace hearth::client
