// The commands as CLI11 knows them, by kind. Each function adds to `app` what fills the struct
// given, which must live as long as `app`.
#pragma once

#include <CLI/CLI.hpp>

#include "client/options.hpp"

namespace hearth::client {

inline constexpr const char* run_exit_codes =
    "Exit codes: 0 all passed, 1 failures, 2 usage or set-up error, 3 a server was lost and\n"
    "results are missing, 4 nothing selected, 130 interrupted.";

// As the SEED of --shuffle: none was given.
inline constexpr const char* any_seed = "any";

void add_server_options(CLI::App& app, ServerSettings& server);
void add_programs(CLI::App& app, std::vector<std::string>& programs);
void add_project_options(CLI::App& app, ProjectSettings& project);

CLI::App* add_list(CLI::App& app, ListCommand& command);
CLI::App* add_run(CLI::App& app, RunCommand& command);
CLI::App* add_stream(CLI::App& app, StreamCommand& command);

// As they are given; finish_attach() makes a command of them.
struct AttachOptions {
  AttachCommand command;
  bool start = false;
  bool listen = false;
  std::optional<unsigned> idle;
  bool on_console = false;
  ConsoleCommand console;
};
CLI::App* add_attach(CLI::App& app, AttachOptions& options);
CLI::App* add_status(CLI::App& app, StatusCommand& command);
// `words`: what stands behind `--`. An error: what is wrong with the command line.
[[nodiscard]] tl::expected<Command, std::string> finish_attach(AttachOptions options,
                                                               std::vector<std::string> words);

struct HistoryCommands {
  LastCommand last;
  FailingCommand failing;
  SlowestCommand slowest;
  HistoryCommand history;
  FlakyCommand flaky;
};
void add_history_commands(CLI::App& app, HistoryCommands& commands);
[[nodiscard]] bool is_history_command(std::string_view name);
// The one that was given, if any was.
[[nodiscard]] std::optional<Command> history_command(const CLI::App& app, HistoryCommands& parsed);

}  // namespace hearth::client
