#include "client/project/init.hpp"

#include "client/project/shell_command.hpp"
#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

constexpr std::string_view header = "[DEFAULT]";

// The lines with which unmodified testr runs the same tests.
constexpr std::string_view for_testr =
    "test_command=hearth stream $LISTOPT $IDOPTION\n"
    "test_list_option=--list\n"
    "test_id_option=--load-list $IDFILE\n";

}  // namespace

Expected<std::string> config_value(const std::vector<std::string>& command) {
  std::string value;
  for (const auto& word : command) {
    if (word.find_first_of("\r\n") != std::string::npos ||
        protocol::check_string(word) != protocol::StringFault::none)
      return tl::unexpected(Error{"write '" + word + "' to " + TestrConf::file_name,
                                  "a value there is UTF-8 text of one line",
                                  "give the program another name"});
    value += value.empty() ? "" : " ";
    for (const char c : shell_quoted(word)) value += c == '%' ? "%%" : std::string(1, c);
  }
  return value;
}

std::string needed_lines(const std::string& server_value, const std::optional<TestrConf>& conf) {
  std::string lines = "server_command=" + server_value + "\n";
  bool has_test_command = false;
  if (conf)
    for (const auto& key : conf->file.keys()) has_test_command |= key == "test_command";
  if (!has_test_command) lines += for_testr;
  return lines;
}

std::string new_testr_conf(const std::string& server_value) {
  return std::string(header) + "\n" + needed_lines(server_value, std::nullopt);
}

std::string with_lines(std::string_view text, std::string_view lines) {
  // A header is a line that begins with it; what follows it is behind the line's end.
  for (std::size_t at = text.find(header); at != std::string_view::npos;
       at = text.find(header, at + 1)) {
    const bool begins_line = at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r';
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (!begins_line || line.substr(header.size()).find_first_not_of(" \t\r") != line.npos)
      continue;
    if (end == text.size()) return std::string(text) + "\n" + std::string(lines);
    return std::string(text.substr(0, end + 1)) + std::string(lines) +
           std::string(text.substr(end + 1));
  }
  std::string result(text);
  if (!result.empty() && !result.ends_with('\n')) result += '\n';
  return result + (result.empty() ? "" : "\n") + std::string(header) + "\n" + std::string(lines);
}

}  // namespace hearth::client
