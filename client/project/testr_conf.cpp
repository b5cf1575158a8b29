#include "client/project/testr_conf.hpp"

#include <boost/regex.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace hearth::client {
namespace {

constexpr std::streamsize most_read = (std::streamsize{1} << 20) + 1;
constexpr std::size_t quoted_id = 200;

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

class KeyReader {
 public:
  explicit KeyReader(const ConfigFile& file) : m_file(file) {}

  std::optional<std::string> operator()(const char* key) {
    auto setting = m_file.get(key);
    if (!setting) {
      if (!failed) failed = setting.error();
      return std::nullopt;
    }
    if (!*setting) return std::nullopt;
    return std::move((*setting)->value);
  }

  std::optional<Error> failed;

 private:
  const ConfigFile& m_file;
};

}  // namespace

Expected<TestrConf> TestrConf::parse(std::string_view text, std::string name) {
  auto file = ConfigFile::parse(text, std::move(name));
  if (!file) return tl::unexpected(file.error());
  TestrConf conf;
  conf.file = std::move(*file);
  KeyReader read(conf.file);
  conf.server_command = read("server_command");
  if (conf.server_command && conf.server_command->empty()) conf.server_command.reset();
  conf.run_concurrency = read("test_run_concurrency");
  conf.group_regex = read("group_regex");
  conf.filter_tags = words(read("filter_tags").value_or(""));
  conf.instances = {read("instance_provision"), read("instance_execute"), read("instance_dispose")};
  if (read.failed) return tl::unexpected(std::move(*read.failed));
  if (auto group_of = conf.group_of(); !group_of) return tl::unexpected(group_of.error());
  return conf;
}

std::string testr_conf_path(const std::string& directory) {
  return directory == "." || directory.empty() ? TestrConf::file_name
                                               : directory + "/" + TestrConf::file_name;
}

Expected<std::optional<TestrConf>> TestrConf::read(const std::string& directory) {
  const auto path = testr_conf_path(directory);
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream && errno == ENOENT) return std::optional<TestrConf>();
  std::string text(static_cast<std::size_t>(most_read), '\0');
  stream.read(text.data(), most_read);
  if (stream.bad() || !stream.is_open() || (stream.fail() && !stream.eof()))
    return tl::unexpected(
        Error{"read " + path, errno != 0 ? std::strerror(errno) : "it cannot be read", ""});
  text.resize(static_cast<std::size_t>(stream.gcount()));
  auto conf = parse(text, path);
  if (!conf) return tl::unexpected(conf.error());
  return std::optional(std::move(*conf));
}

Expected<TestrConf::GroupOf> TestrConf::group_of() const {
  if (!group_regex || group_regex->empty()) return GroupOf();
  boost::regex pattern;
  pattern.assign(from_python(*group_regex), boost::regex::perl | boost::regex::no_except);
  if (pattern.status() != 0)
    return tl::unexpected(
        file.error_in("group_regex",
                      "'" + *group_regex + "' is no regular expression: " +
                          boost::regex_traits<char>().error_string(
                              static_cast<boost::regex_constants::error_type>(pattern.status())),
                      "put a backslash before characters that stand for themselves"));
  return GroupOf([pattern = std::move(pattern),
                  text = *group_regex](const std::string& id) -> std::optional<std::string> {
    boost::smatch match;
    try {
      if (!boost::regex_search(id, match, pattern, boost::match_continuous)) return std::nullopt;
    } catch (const std::runtime_error&) {
      throw std::runtime_error("match the group_regex '" + text + "' with the test id " +
                               id.substr(0, quoted_id) +
                               ": it takes too much work; write it without nested repetitions");
    }
    // An empty match is no group, for testr either.
    return match.length(0) > 0 ? std::optional(match.str(0)) : std::nullopt;
  });
}

std::string substitute(std::string_view text, const std::vector<Variable>& variables) {
  std::string result;
  while (!text.empty()) {
    const auto dollar = std::min(text.find('$'), text.size());
    result += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    text.remove_prefix(1);
    bool found = false;
    for (const auto& variable : variables) {
      if (found || !text.starts_with(variable.name)) continue;
      result += variable.value;
      text.remove_prefix(variable.name.size());
      found = true;
    }
    if (!found) result += '$';
  }
  return result;
}

std::string from_python(std::string_view pattern) {
  std::string result;
  for (std::size_t i = 0; i < pattern.size();) {
    const auto rest = pattern.substr(i);
    if (rest.front() == '\\' && rest.size() > 1) {
      result += rest.substr(0, 2);
      i += 2;
    } else if (rest.starts_with("(?P<")) {
      result += "(?<";
      i += 4;
    } else if (const auto end = rest.find(')'); rest.starts_with("(?P=") && end != rest.npos) {
      result += "\\k<" + std::string(rest.substr(4, end - 4)) + ">";
      i += end + 1;
    } else {
      result += rest.front();
      ++i;
    }
  }
  return result;
}

}  // namespace hearth::client
