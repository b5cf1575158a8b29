// The command line of `hearth`: arguments in, a command or a text and an exit code out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "client/attach/console_attach.hpp"
#include "client/reports/report_options.hpp"
#include "client/run/selection.hpp"
#include "client/show/color.hpp"

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
  std::optional<std::string> exit;            // "fail" or "ignore"
  std::optional<std::string> isolation;       // "process" or "none"
  std::optional<std::string> fork;            // "auto" or "never"
  std::string cwd;
  std::vector<std::string> environment;
};

struct ServeCommand {
  ServerSettings server;
  std::optional<std::string> listen;  // an address; absent: one session, on stdin and stdout
  std::string token_file;
  std::optional<unsigned> idle;  // seconds
};
// Where the servers come from: the programs of `server`, or where there are none the project's
// `.testr.conf`.
struct ProjectSettings {
  ServerSettings server;
  std::string directory = ".";                // the project's
  std::optional<std::string> server_command;  // instead of the project's
};
struct ListCommand {
  ProjectSettings project;
  std::vector<std::string> patterns;
};
struct RunCommand {
  ProjectSettings project;
  SelectionOptions selection;
  ReportOptions reports;
  std::optional<unsigned> servers;
  double start_timeout = 10;  // seconds
  unsigned repeat = 1;
  bool until_failure = false;
  std::size_t max_failures = 0;  // 0: no limit
  unsigned retries = 0;
  bool isolated = false;
  bool analyze_isolation = false;
  bool history = true;
  bool every_result = false;
  ColorChoice color = ColorChoice::automatic;
};
// A test_command for testr, and stestr's interpreter.
struct StreamCommand {
  ProjectSettings project;
  bool list = false;
  std::optional<std::string> load_list;
  std::vector<std::string> ids;
};
struct CheckCommand {
  ServerSettings server;  // one program
  bool compare = false;
  std::optional<std::string> plain_results;
  std::optional<std::string> expected;
  std::vector<std::string> arguments;  // of the program
};
// What is remembered of the project in `directory`.
struct LastCommand {
  std::string directory = ".";
  bool subunit = false;
};
struct FailingCommand {
  std::string directory = ".";
  bool subunit = false;
  bool verbose = false;
};
struct SlowestCommand {
  std::string directory = ".";
  std::size_t count = 10;
  bool all = false;
};
struct HistoryCommand {
  std::string directory = ".";
  std::string id;
};
struct FlakyCommand {
  std::string directory = ".";
};
// Writes a `.testr.conf`.
struct InitCommand {
  ServerSettings server;
  std::string directory = ".";
  bool add = false;  // to one that is there
};
// Joins stdin and stdout to a server that listens.
struct AttachCommand {
  enum class How : std::uint8_t {
    connect,  // to a server that is there, or that a tunnel brings
    start,    // the same, which is started where none is
    listen,   // for a server that connects
  };
  How how = How::connect;
  std::string address;  // empty: of this project's server
  std::optional<std::string> token_file;
  unsigned idle = 3600;            // seconds; of a server that is started; 0: it stays
  std::vector<std::string> words;  // arguments for `hearth serve`, or the tunnel's command line
  std::string directory = ".";     // of the project
};
struct StatusCommand {
  std::string directory = ".";  // of the project
  std::string address;          // empty: of that project's server
  std::optional<std::string> token_file;
  bool json = false;
};
using Command =
    std::variant<InitCommand, ServeCommand, ListCommand, RunCommand, CheckCommand, StreamCommand,
                 LastCommand, FailingCommand, SlowestCommand, HistoryCommand, FlakyCommand,
                 AttachCommand, ConsoleCommand, StatusCommand>;

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
// The options of `hearth serve` that say the same, but for the isolation.
[[nodiscard]] std::vector<std::string> option_words(const ServerSettings& settings);

}  // namespace hearth::client
