// The commands that tell of earlier runs.
#include "client/options/add_options.hpp"

namespace hearth::client {
namespace {

constexpr const char* history_exit_codes =
    "Exit codes: 0 none failed, 1 some did, 2 usage error, or no history that can be read.";

CLI::App* add_history_command(CLI::App& app, const char* name, const char* what,
                              std::string& directory) {
  auto* const command = app.add_subcommand(name, what);
  command->add_option("-C,--directory", directory, "the project's directory (this one)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command->footer("Exit codes: 0 it was shown, 2 usage error, or no history that can be read.");
  return command;
}

}  // namespace

// What is remembered of earlier runs.
void add_history_commands(CLI::App& app, HistoryCommands& parsed) {
  auto* const last = add_history_command(
      app, "last", "Show the failures of the last run, and its sums", parsed.last.directory);
  last->add_flag("--subunit", parsed.last.subunit, "the whole run as a subunit v2 stream; exit 0");
  last->footer(history_exit_codes);
  auto* const failing =
      add_history_command(app, "failing", "List the tests that failed when they were run last",
                          parsed.failing.directory);
  failing->add_flag("-v,--verbose", parsed.failing.verbose, "with what they said");
  failing->add_flag("--subunit", parsed.failing.subunit, "as a subunit v2 stream; exit 0");
  failing->footer(history_exit_codes);
  auto* const slowest = add_history_command(
      app, "slowest", "Show the tests of the last run that took longest", parsed.slowest.directory);
  slowest->add_option("N", parsed.slowest.count, "how many (10)")
      ->type_name("")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000'000}));
  slowest->add_flag("--all", parsed.slowest.all, "all of them");
  auto* const history = add_history_command(app, "history", "Show all known executions of a test",
                                            parsed.history.directory);
  history->add_option("TEST", parsed.history.id, "the test's id")->type_name("")->required();
  add_history_command(app, "flaky",
                      "Show tests that passed and failed although nothing had changed",
                      parsed.flaky.directory);
}

bool is_history_command(std::string_view name) {
  return name == "last" || name == "failing" || name == "slowest" || name == "history" ||
         name == "flaky";
}

std::optional<Command> history_command(const CLI::App& app, HistoryCommands& parsed) {
  if (app.got_subcommand("last")) return parsed.last;
  if (app.got_subcommand("failing")) return parsed.failing;
  if (app.got_subcommand("slowest")) return parsed.slowest;
  if (app.got_subcommand("history")) return parsed.history;
  if (app.got_subcommand("flaky")) return parsed.flaky;
  return std::nullopt;
}

}  // namespace hearth::client
