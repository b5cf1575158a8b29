#include "client/project/config_file.hpp"

#include <algorithm>
#include <set>

#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20;  // of a file, and of a value
constexpr unsigned most_references = 10;                  // configparser's MAX_INTERPOLATION_DEPTH

// The length of the white space character, by Python's str.isspace(), at the beginning of `text`;
// 0: another character.
std::size_t space_at(std::string_view text) {
  static constexpr std::string_view wide[] = {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001",
                                              "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
                                              "\u2007", "\u2008", "\u2009", "\u200a", "\u2028",
                                              "\u2029", "\u202f", "\u205f", "\u3000"};
  if (text.empty()) return 0;
  const auto c = static_cast<unsigned char>(text.front());
  if (c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f)) return 1;
  for (const auto space : wide)
    if (text.starts_with(space)) return space.size();
  return 0;
}

// How many white space characters `text` begins with.
std::size_t indentation(std::string_view text) {
  std::size_t count = 0;
  while (const auto size = space_at(text)) {
    text.remove_prefix(size);
    ++count;
  }
  return count;
}

std::string_view strip_right(std::string_view text) {
  for (bool more = true; more && !text.empty();) {
    more = false;
    for (std::size_t size = 1; size <= std::min<std::size_t>(3, text.size()) && !more; ++size)
      if (space_at(text.substr(text.size() - size)) == size) {
        text.remove_suffix(size);
        more = true;
      }
  }
  return text;
}

std::string_view strip(std::string_view text) {
  while (const auto size = space_at(text)) text.remove_prefix(size);
  return strip_right(text);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

// The next line, without its end: LF, CR LF or CR, as Python's text files have it.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find_first_of("\r\n"), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(end);
  if (text.starts_with("\r\n"))
    text.remove_prefix(2);
  else if (!text.empty())
    text.remove_prefix(1);
  return line;
}

Error at_line(const std::string& name, unsigned line, std::string cause, std::string remedy) {
  return {"read line " + std::to_string(line) + " of " + name, std::move(cause), std::move(remedy)};
}

}  // namespace

// configparser's _read(), line by line. Errors of a line that is nothing at all come last, as
// there.
class ConfigReader {
 public:
  explicit ConfigReader(std::string name) { m_file.m_name = std::move(name); }

  std::optional<Error> read(std::string_view text);
  [[nodiscard]] ConfigFile take() { return std::move(m_file); }

 private:
  std::optional<Error> read_line(std::string_view line);
  std::optional<Error> read_header(std::string_view header);
  std::optional<Error> read_option(std::string_view line);
  void continue_value(std::string_view part);
  [[nodiscard]] Error error(std::string cause, std::string remedy) const {
    return at_line(m_file.m_name, m_line, std::move(cause), std::move(remedy));
  }
  [[nodiscard]] bool in_default() const { return m_section == "DEFAULT"; }

  ConfigFile m_file;
  unsigned m_line = 0;
  std::size_t m_indentation = 0;
  std::optional<std::string> m_section;
  std::optional<std::string> m_key;  // whose value may go on
  std::map<std::string, unsigned> m_sections;
  std::map<std::pair<std::string, std::string>, unsigned> m_keys;  // by section
  std::optional<Error> m_first_stray;
};

std::optional<Error> ConfigReader::read(std::string_view text) {
  while (!text.empty()) {
    ++m_line;
    const auto line = take_line(text);
    if (protocol::check_string(line) != protocol::StringFault::none)
      return error("it is not UTF-8, or has a NUL in it", "save the file in UTF-8");
    if (auto failed = read_line(line)) return failed;
  }
  for (auto& [key, setting] : m_file.m_settings)
    setting.value = std::string(strip_right(setting.value));
  return std::move(m_first_stray);
}

std::optional<Error> ConfigReader::read_line(std::string_view line) {
  const auto value = strip(line);
  if (value.starts_with('#') || value.starts_with(';')) return std::nullopt;
  if (value.empty()) {
    if (m_key) continue_value({});
    return std::nullopt;
  }
  const auto indented = indentation(line);
  if (m_key && indented > m_indentation) {
    continue_value(value);
    return std::nullopt;
  }
  m_indentation = indented;
  const auto end = value.rfind(']');
  if (value.starts_with('[') && end != std::string_view::npos && end > 1)
    return read_header(value.substr(1, end - 1));
  if (!m_section)
    return error("it stands before any section", "begin the file with a line [DEFAULT]");
  return read_option(value);
}

std::optional<Error> ConfigReader::read_header(std::string_view header) {
  m_section = header;
  m_key.reset();
  if (in_default()) return std::nullopt;
  const auto [known, is_new] = m_sections.try_emplace(*m_section, m_line);
  if (is_new) return std::nullopt;
  return error("the section [" + *m_section + "] is there twice, first in line " +
                   std::to_string(known->second),
               "make one of both");
}

std::optional<Error> ConfigReader::read_option(std::string_view line) {
  const auto delimiter = line.find_first_of("=:");
  if (delimiter == std::string_view::npos || delimiter == 0) {
    if (!m_first_stray)
      m_first_stray = error(
          delimiter == 0 ? "there is no key before the '" + std::string(line.substr(0, 1)) + "'"
                         : "it is neither 'key = value' nor a [section]",
          "indent it if it goes on with the value above; put # before a comment");
    if (delimiter == std::string_view::npos) return std::nullopt;
  }
  m_key = lower(strip_right(line.substr(0, delimiter)));
  const auto [known, is_new] = m_keys.try_emplace({*m_section, *m_key}, m_line);
  if (!is_new)
    return error(
        "the key '" + *m_key + "' is there twice, first in line " + std::to_string(known->second),
        "remove one of both");
  if (in_default())
    m_file.m_settings[*m_key] = {std::string(strip(line.substr(delimiter + 1))), m_line};
  if (m_key->empty()) m_key.reset();
  return std::nullopt;
}

void ConfigReader::continue_value(std::string_view part) {
  if (!in_default()) return;
  const auto setting = m_file.m_settings.find(*m_key);
  if (setting == m_file.m_settings.end()) return;
  setting->second.value += '\n';
  setting->second.value += part;
}

Expected<ConfigFile> ConfigFile::parse(std::string_view text, std::string name) {
  if (text.size() > most_bytes)
    return tl::unexpected(Error{"read " + name, "it has more than 1 MiB", "make it shorter"});
  if (text.starts_with("\xef\xbb\xbf"))
    return tl::unexpected(
        at_line(name, 1, "it begins with a byte order mark", "save the file in UTF-8 without one"));
  ConfigReader reader(std::move(name));
  if (auto failed = reader.read(text)) return tl::unexpected(std::move(*failed));
  return reader.take();
}

std::vector<std::string> ConfigFile::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, setting] : m_settings) keys.push_back(key);
  return keys;
}

std::optional<std::string> ConfigFile::raw(const std::string& key) const {
  const auto setting = m_settings.find(key);
  return setting == m_settings.end() ? std::nullopt : std::optional(setting->second.value);
}

Error ConfigFile::error_in(const std::string& key, std::string cause, std::string remedy) const {
  const auto setting = m_settings.find(key);
  const auto where =
      setting == m_settings.end() ? "" : " in line " + std::to_string(setting->second.line);
  return {"use the key '" + key + "'" + where + " of " + m_name, std::move(cause),
          std::move(remedy)};
}

Expected<std::optional<ConfigFile::Setting>> ConfigFile::get(const std::string& key) const {
  const auto setting = m_settings.find(key);
  if (setting == m_settings.end()) return std::optional<Setting>();
  Setting resolved{{}, setting->second.line};
  if (auto failed = resolve(key, setting->second.value, 1, resolved.value))
    return tl::unexpected(std::move(*failed));
  return std::optional(std::move(resolved));
}

// configparser's BasicInterpolation: appends what `rest` comes to. `key`: whose value is wanted.
std::optional<Error> ConfigFile::resolve(const std::string& key, std::string_view rest,
                                         unsigned depth, std::string& value) const {
  if (depth > most_references)
    return error_in(key, "its references go round, or deeper than 10", "write the value out");
  while (!rest.empty()) {
    if (value.size() > most_bytes)
      return error_in(key, "its references come to more than 1 MiB", "write the value out");
    const auto percent = std::min(rest.find('%'), rest.size());
    value += rest.substr(0, percent);
    rest.remove_prefix(percent);
    if (rest.empty()) break;
    if (rest.starts_with("%%")) {
      value += '%';
      rest.remove_prefix(2);
      continue;
    }
    if (!rest.starts_with("%("))
      return error_in(key, "a single % stands in it", "write %% for a percent sign");
    const auto end = rest.find(')');
    if (end == std::string_view::npos || end == 2 || rest.substr(end + 1, 1) != "s")
      return error_in(key, "a reference is not of the form %(key)s", "write %% for a percent sign");
    const auto other = lower(rest.substr(2, end - 2));
    rest.remove_prefix(end + 2);
    const auto setting = m_settings.find(other);
    if (setting == m_settings.end())
      return error_in(key, "it refers to the key '" + other + "', which is not there",
                      "add that key, or write %% for a percent sign");
    if (setting->second.value.find('%') == std::string::npos)
      value += setting->second.value;
    else if (auto failed = resolve(key, setting->second.value, depth + 1, value))
      return failed;
  }
  return std::nullopt;
}

}  // namespace hearth::client
