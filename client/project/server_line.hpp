// What a server_command is, as far as it can be read: which command of ours starts the server, or
// meets it. Pure, but for the environment's variables that an address names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::client {

struct ServerLine {
  enum class Kind : std::uint8_t {
    other,  // a command that is not ours, or not seen to be (a script, ssh)
    serve,  // `hearth serve`: a server for each run
    start,  // `hearth attach --start`: a server that stays
    meet,   // `hearth attach`: a server that somebody else started
  };
  Kind kind = Kind::other;
  std::optional<std::string> address;  // of a server that listens, as it is written there
  std::optional<std::string> token_file;
};

// `command`: for `sh -c`. Of several commands the last that is ours; what stands before one of ours
// (exec, env, nice, assignments) is passed over, what may bring it to another machine is not.
[[nodiscard]] ServerLine read_server_line(std::string_view command);

// $NAME and ${NAME} replaced. nullopt: there is more to expand than that.
[[nodiscard]] std::optional<std::string> with_variables(std::string_view text);

// ---- options on their way to a server that a command starts

// Read by `hearth serve` and `hearth attach --start`: options, as words for a shell, that count
// more than those of their command lines. They take it out of their environment.
inline constexpr const char* options_variable = "HEARTH_SERVE_OPTIONS";

// `arguments` of hearth, with the options of `passed` (the variable's value) put where they belong;
// unchanged where they are those of another command.
[[nodiscard]] std::vector<std::string> with_passed_options(std::vector<std::string> arguments,
                                                           std::string_view passed);

}  // namespace hearth::client
