#include "client/run/selection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t quoted_id = 200;  // bytes of an id in an error

bool is_found(const boost::regex& pattern, const std::string& id) {
  try {
    return boost::regex_search(id, pattern);
  } catch (const std::runtime_error&) {
    throw std::runtime_error("search for the regular expression '" + pattern.str() +
                             "' in the test id " + id.substr(0, quoted_id) +
                             ": it takes too much work; write it without nested repetitions");
  }
}

}  // namespace

Expected<Selector> Selector::make(const std::vector<std::string>& patterns) {
  Selector selector;
  for (const auto& pattern : patterns) {
    boost::regex compiled;
    // no_except: a pattern that cannot be compiled leaves a status.
    compiled.assign(pattern, boost::regex::perl | boost::regex::no_except);
    if (compiled.status() != 0) {
      const std::string cause = boost::regex_traits<char>().error_string(
          static_cast<boost::regex_constants::error_type>(compiled.status()));
      return tl::unexpected(Error{"use the regular expression '" + pattern + "'", cause,
                                  "put a backslash before characters that stand for themselves"});
    }
    selector.m_patterns.push_back(std::move(compiled));
  }
  return selector;
}

bool Selector::selects(const std::string& id) const {
  if (selects_all()) return true;
  return std::any_of(m_patterns.begin(), m_patterns.end(),
                     [&](const boost::regex& pattern) { return is_found(pattern, id); });
}

std::vector<std::string> Selector::select(std::vector<std::string> ids) const {
  if (!selects_all()) std::erase_if(ids, [this](const std::string& id) { return !selects(id); });
  return ids;
}

std::vector<std::string> Selector::found_in_none(const std::vector<std::string>& ids) const {
  std::vector<std::string> patterns;
  for (const auto& pattern : m_patterns)
    if (std::none_of(ids.begin(), ids.end(),
                     [&](const std::string& id) { return is_found(pattern, id); }))
      patterns.push_back(pattern.str());
  return patterns;
}

Expected<std::vector<std::string>> parse_id_list(std::string_view text,
                                                 const std::string& file_name) {
  std::vector<std::string> ids;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    auto id = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (id.ends_with('\r')) id.remove_suffix(1);
    if (id.empty()) continue;
    if (protocol::check_string(id) != protocol::StringFault::none)
      return tl::unexpected(Error{"read line " + std::to_string(line) + " of " + file_name,
                                  "it is no UTF-8 text without NUL, and test ids are",
                                  "write the list with `hearth list`"});
    ids.emplace_back(id);
  }
  return ids;
}

Expected<std::vector<std::string>> read_id_list(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream file(path, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad())
      return tl::unexpected(Error{"read the list of tests in " + path, std::strerror(errno), ""});
  }
  return parse_id_list(text, path);
}

}  // namespace hearth::client
