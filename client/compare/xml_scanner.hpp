// The tags of an XML document and their attributes, one after the other; text between tags,
// comments and declarations are skipped. As much of XML as frameworks write in their results. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::client {

struct XmlTag {
  std::string name;
  bool closes = false;  // </name>
  bool empty = false;   // <name/>
  std::map<std::string, std::string> attributes;

  // Empty where there is none.
  [[nodiscard]] std::string attribute(const std::string& name) const;
};

class XmlScanner {
 public:
  // `text` must outlive the scanner.
  explicit XmlScanner(std::string_view text) : m_text(text) {}
  // nullopt at the end, also where the document breaks off.
  [[nodiscard]] std::optional<XmlTag> next();

 private:
  bool read_attribute(XmlTag& tag);
  void skip_blanks();
  std::string_view take_until(std::string_view stops);

  std::string_view m_text;  // what is still to read
};

// &lt; &gt; &amp; &quot; &apos; and &#N; as what they stand for; other references stay.
[[nodiscard]] std::string xml_unescaped(std::string_view text);

}  // namespace hearth::client
