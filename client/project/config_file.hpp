// The text of a configuration file in the dialect of Python 3's configparser.ConfigParser with its
// defaults, which is what testr reads `.testr.conf` with: sections, `key = value` or `key: value`,
// values that go on in indented lines, comments in lines of their own (`#`, `;`), keys without
// regard to case, no key twice, and
// `%(key)s` and `%%` in values.
// https://docs.python.org/3/library/configparser.html#supported-ini-file-structure
//
// Flow: parse() checks the whole file, as Python does; get() resolves the references of one value,
// so that a mistake in a value harms only those who read it. Only the section [DEFAULT] is kept.
//
// Not as in Python: keys are compared without regard to the case of ASCII letters only, and what a
// value comes to is bounded (1 MiB).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.hpp"

namespace hearth::client {

class ConfigFile {
 public:
  struct Setting {
    std::string value;
    unsigned line;  // where its key stands, from 1
  };

  // `name`: the file's, for errors, which name the line and the key.
  [[nodiscard]] static Expected<ConfigFile> parse(std::string_view text, std::string name);

  // nullopt: [DEFAULT] has no such key (in lower case).
  [[nodiscard]] Expected<std::optional<Setting>> get(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> keys() const;
  // As it is written, with its references. nullopt: no such key.
  [[nodiscard]] std::optional<std::string> raw(const std::string& key) const;

  // An error in the value of a key that is there.
  [[nodiscard]] Error error_in(const std::string& key, std::string cause, std::string remedy) const;

 private:
  friend class ConfigReader;
  [[nodiscard]] std::optional<Error> resolve(const std::string& key, std::string_view rest,
                                             unsigned depth, std::string& value) const;

  std::string m_name;
  std::map<std::string, Setting> m_settings;
};

}  // namespace hearth::client
