#include "client/project/server_line.hpp"

#include <algorithm>
#include <cstdlib>

namespace hearth::client {
namespace {

using Words = std::vector<std::string>;

bool is_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// Simple commands, in their order: words as the shell makes them, without its expansions.
class ShellReader {
 public:
  explicit ShellReader(std::string_view text) : m_text(text) {}

  std::vector<Words> read() {
    m_commands.emplace_back();
    while (m_at < m_text.size()) take();
    end_word();
    return std::move(m_commands);
  }

 private:
  void take() {
    const char c = m_text[m_at++];
    if (c == '\'') {
      quoted('\'');
    } else if (c == '"') {
      quoted('"');
    } else if (c == '\\' && m_at < m_text.size()) {
      add(m_text[m_at++]);
    } else if (c == ' ' || c == '\t') {
      end_word();
    } else if (std::string_view("\n;&|(){}").find(c) != std::string_view::npos && !m_in_braces) {
      if (c == '{' && m_word.ends_with('$')) {
        m_in_braces = true;
        return add(c);
      }
      end_word();
      if (!m_commands.back().empty()) m_commands.emplace_back();
    } else {
      m_in_braces = m_in_braces && c != '}';
      add(c);
    }
  }
  void quoted(char quote) {
    m_in_word = true;
    while (m_at < m_text.size() && m_text[m_at] != quote) {
      if (quote == '"' && m_text[m_at] == '\\' && m_at + 1 < m_text.size()) ++m_at;
      m_word += m_text[m_at++];
    }
    ++m_at;
  }
  void add(char c) {
    m_word += c;
    m_in_word = true;
  }
  void end_word() {
    if (m_in_word) m_commands.back().push_back(std::move(m_word));
    m_word.clear();
    m_in_word = m_in_braces = false;
  }

  std::string_view m_text;
  std::size_t m_at = 0;
  std::string m_word;
  bool m_in_word = false;
  bool m_in_braces = false;
  std::vector<Words> m_commands;
};

bool is_assignment(const std::string& word) {
  const auto equals = word.find('=');
  return equals != std::string::npos && equals != 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), is_name);
}

// Without what only prepares the command that follows.
std::size_t first_of_command(const Words& words) {
  std::size_t at = 0;
  while (at < words.size()) {
    const auto& word = words[at];
    if (is_assignment(word) || word == "exec" || word == "env" || word == "command" ||
        word == "time" || word == "nohup" || word == "setsid") {
      ++at;
    } else if (word == "nice" || word == "ionice" || word == "taskset" || word == "chrt") {
      for (++at; at < words.size() &&
                 (words[at].starts_with('-') ||
                  words[at].find_first_not_of("0123456789abcdefx,") == std::string::npos);)
        ++at;
    } else {
      break;
    }
  }
  return at;
}

bool is_hearth(const std::string& word) {
  return word.substr(word.rfind('/') + 1) == "hearth";
}

ServerLine read_attach(const Words& words, std::size_t at) {
  ServerLine line;
  line.kind = ServerLine::Kind::meet;
  for (; at < words.size() && words[at] != "--"; ++at) {
    const auto& word = words[at];
    if (word == "--start")
      line.kind = ServerLine::Kind::start;
    else if (word == "--token-file" && at + 1 < words.size())
      line.token_file = words[++at];
    else if (word.starts_with("--token-file="))
      line.token_file = word.substr(word.find('=') + 1);
    else if (word.starts_with("unix:") || word.starts_with("tcp:"))
      line.address = word;
  }
  return line;
}

}  // namespace

ServerLine read_server_line(std::string_view command) {
  ServerLine line;
  for (const auto& words : ShellReader(command).read()) {
    const auto at = first_of_command(words);
    if (at + 1 >= words.size() || !is_hearth(words[at])) continue;
    if (words[at + 1] == "serve") line = {ServerLine::Kind::serve, std::nullopt, std::nullopt};
    if (words[at + 1] == "attach") line = read_attach(words, at + 2);
  }
  return line;
}

std::optional<std::string> with_variables(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '`') return std::nullopt;
    if (text[at] != '$') {
      result += text[at];
      continue;
    }
    const bool braces = text.substr(at + 1).starts_with('{');
    const auto begin = at + (braces ? 2 : 1);
    auto end = begin;
    while (end < text.size() && is_name(text[end])) ++end;
    if (end == begin || (braces && !text.substr(end).starts_with('}'))) return std::nullopt;
    const char* const value = std::getenv(std::string(text.substr(begin, end - begin)).c_str());
    result += value != nullptr ? value : "";
    at = braces ? end : end - 1;
  }
  return result;
}

Words with_passed_options(Words arguments, std::string_view passed) {
  if (arguments.empty() || passed.empty()) return arguments;
  const bool attaches = arguments.front() == "attach";
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  const bool starts = std::find(arguments.begin(), dashes, "--start") != dashes;
  if (arguments.front() != "serve" && !(attaches && starts)) return arguments;
  const auto words = ShellReader(passed).read().front();
  // After the options that are there, before what may begin with a dash: the last one counts.
  const auto place =
      attaches ? std::find(dashes == arguments.end() ? dashes : dashes + 1, arguments.end(), "--")
               : dashes;
  arguments.insert(place, words.begin(), words.end());
  return arguments;
}

}  // namespace hearth::client
