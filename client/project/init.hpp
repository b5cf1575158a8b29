// The `.testr.conf` that `hearth init` writes: for Hearth, and for testr beside it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/project/testr_conf.hpp"

namespace hearth::client {

// A command line as one value of a `.testr.conf`: each word quoted for the shell, each % doubled.
// An error where a word cannot stand there (line breaks, NUL, bytes that are no UTF-8).
[[nodiscard]] Expected<std::string> config_value(const std::vector<std::string>& command);

// The lines that a project's file needs, with newlines. `conf`: those it lacks only; absent: all.
[[nodiscard]] std::string needed_lines(const std::string& server_value,
                                       const std::optional<TestrConf>& conf);

[[nodiscard]] std::string new_testr_conf(const std::string& server_value);

// `text`, a file that TestrConf::parse() takes, with `lines` in its section [DEFAULT].
[[nodiscard]] std::string with_lines(std::string_view text, std::string_view lines);

}  // namespace hearth::client
