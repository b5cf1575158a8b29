// A project's `.testr.conf`, as far as we use it: how its servers are started, and testr's keys
// that keep their meaning with us. Keys that are not ours are left alone, right or wrong.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/project/config_file.hpp"

namespace hearth::client {

// How instances are had, used and given back; each a command for `sh -c` with $VARIABLEs of
// testr's.
struct InstanceCommands {
  std::optional<std::string> provision;
  std::optional<std::string> execute;
  std::optional<std::string> dispose;
};

struct TestrConf {
  static constexpr const char* file_name = ".testr.conf";

  ConfigFile file;
  std::optional<std::string> server_command;   // absent: none, or an empty one
  std::optional<std::string> run_concurrency;  // a command that prints a number
  std::optional<std::string> group_regex;
  std::vector<std::string> filter_tags;
  InstanceCommands instances;

  // `name`: the file's, for errors.
  [[nodiscard]] static Expected<TestrConf> parse(std::string_view text, std::string name);
  // That of the project in `directory`; nullopt: it has none.
  [[nodiscard]] static Expected<std::optional<TestrConf>> read(const std::string& directory);

  // The group that a test is scheduled with; not set: there are no groups. It throws
  // std::runtime_error where the regular expression is too much work for an id.
  using GroupOf = std::function<std::optional<std::string>(const std::string& id)>;
  [[nodiscard]] Expected<GroupOf> group_of() const;
};

[[nodiscard]] std::string testr_conf_path(const std::string& directory);

// What `text` comes to when each $NAME of `variables` in it is replaced, in one pass: testr's
// substitution. What is not in `variables` is left to the shell.
struct Variable {
  std::string_view name;  // without the $
  std::string value;
};
[[nodiscard]] std::string substitute(std::string_view text, const std::vector<Variable>& variables);

// A regular expression of Python's in Perl's syntax, as far as they differ in what people write:
// named groups.
[[nodiscard]] std::string from_python(std::string_view pattern);

}  // namespace hearth::client
