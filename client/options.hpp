// The command line of `hearth`: arguments in, a command or a text and an exit code out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

namespace hearth::client {

// What every command tells the server. Absent: the server's default.
struct ServerSettings {
  std::vector<std::string> programs;
  std::optional<unsigned> jobs;
  std::optional<double> timeout;              // seconds; 0: none
  std::optional<double> grace;                // seconds
  std::optional<double> load_timeout;         // seconds
  std::optional<std::uint64_t> output_limit;  // MiB; 0: no limit
  std::optional<std::string> leaks;           // "ok" or "fail"
  std::string cwd;
  std::vector<std::string> environment;
};

struct ServeCommand {
  ServerSettings server;
};
struct ListCommand {
  ServerSettings server;
  std::vector<std::string> patterns;
};
struct RunCommand {
  ServerSettings server;
  std::vector<std::string> patterns;
  std::optional<std::string> load_list;
  std::optional<std::string> subunit;
  bool every_result = false;
};
struct CheckCommand {
  ServerSettings server;  // one program
  bool compare = false;
  std::optional<std::string> plain_results;
  std::optional<std::string> expected;
  std::vector<std::string> arguments;  // of the program
};
using Command = std::variant<ServeCommand, ListCommand, RunCommand, CheckCommand>;

// There is nothing to do but to print `text` (to stderr if it is an error) and to end.
struct ParseEnd {
  int exit_code;
  std::string text;
};

[[nodiscard]] tl::expected<Command, ParseEnd> parse_command_line(
    std::vector<std::string> arguments);

// The command line that makes `executable` a server with these settings.
[[nodiscard]] std::vector<std::string> serve_command_line(const std::string& executable,
                                                          const ServerSettings& settings);

}  // namespace hearth::client
