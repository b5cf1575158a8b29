// `hearth run`: runs tests, shows how it goes, remembers it, and says with its exit code how it
// went.
#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/history/history.hpp"
#include "client/history/revision.hpp"
#include "client/project/servers.hpp"
#include "client/reports/reports.hpp"
#include "client/run/fan_out.hpp"
#include "client/run_support.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

// The history of the project: opened, read and written. What goes wrong with it is said, and is no
// more than that.
class RunHistory {
 public:
  explicit RunHistory(RunListener& notes) : m_notes(notes) {}

  // Opens the history of the project in `directory`, and reads it.
  [[nodiscard]] Past open(const std::string& directory) {
    auto history = History::open(directory, true);
    if (!history) {
      complain(history.error());
      return {};
    }
    m_history = std::move(*history);
    auto past = m_history->past();
    if (past) return std::move(*past);
    complain(past.error());
    return {};
  }
  // nullptr: nothing is recorded.
  [[nodiscard]] RunListener* record(const ProjectServers& servers) {
    if (!m_history) return nullptr;
    auto recorder = m_history->record();
    if (!recorder) {
      complain(recorder.error());
      return nullptr;
    }
    m_recorder = std::move(*recorder);
    m_recorder->set_revision(revision_of(servers.commands));
    return m_recorder.get();
  }
  void finish() {
    if (!m_recorder) return;
    if (const auto name = m_recorder->finish(); !name) complain(name.error());
  }

 private:
  void complain(const Error& error) { m_notes.on_note("history: " + error.text()); }

  RunListener& m_notes;
  std::unique_ptr<History> m_history;
  std::unique_ptr<Recorder> m_recorder;
};

RunPlan repeating_plan(const RunCommand& command, const ProjectServers& servers) {
  auto plan = run_plan(command, servers);
  plan.list_first = !command.selection.load_list;
  plan.retries = command.retries;
  plan.rounds = command.until_failure ? 0 : command.repeat;
  plan.max_failures = command.until_failure && command.max_failures == 0 ? 1 : command.max_failures;
  plan.isolated = command.isolated;
  return plan;
}

std::string nothing_selected_text(const SelectionOptions& options, std::size_t listed,
                                  std::size_t gone) {
  if (options.load_list)
    return "hearth: nothing to run: no test in " + *options.load_list +
           (options.patterns.empty() ? "" : " matches") + "\n";
  if (options.failing && gone != 0)
    return "hearth: nothing to run: there is no test any more of " + counted(gone, "id") +
           " that failed the last time; `hearth failing` shows them, and a full run forgets them\n";
  if (listed == 0) return "hearth: nothing to run: the programs have no tests\n";
  if (options.failing)
    return "hearth: nothing to run: no test" +
           std::string(options.patterns.empty() ? "" : " that matches") + " failed the last time\n";
  return "hearth: nothing to run: none of " + counted(listed, "test") +
         " is selected; `hearth list` shows their ids\n";
}

}  // namespace

int run(const RunCommand& command, const std::string& executable) {
  if (command.analyze_isolation) return analyze_isolation(command, executable);
  const auto servers = find_servers(command.project, executable, command.servers);
  if (!servers) return fail_setup(servers.error().text());
  const auto rules = choice_rules(command.selection, *servers);
  if (!rules) return fail_setup(rules.error().text());
  const auto reports = open_reports(command.reports);
  if (!reports) return fail_setup(reports.error().text());
  const auto display =
      make_display(reports_take_stdout(command.reports) ? STDERR_FILENO : STDOUT_FILENO,
                   {command.every_result, command.color});
  RunHistory history(*display);
  FanOut listeners;
  listeners.add(*display);
  for (const auto& report : *reports) listeners.add(*report);

  auto plan = repeating_plan(command, *servers);
  std::size_t listed = 0;
  std::size_t chosen = 0;
  std::size_t gone = 0;
  Past past;
  if (command.history)
    plan.meanwhile = [&] {
      past = history.open(command.project.directory);
      if (auto* const recorder = history.record(*servers)) listeners.add(*recorder);
    };
  plan.wanted = [&](const std::vector<std::string>& ids) {
    listed = ids.size();
    auto wanted = wanted_ids(ids, *rules, past);
    gone = wanted.size();
    return wanted;
  };
  plan.choose = [&](std::vector<std::string> ids) {
    const auto first_named = ids.begin() + static_cast<std::ptrdiff_t>(listed);
    std::vector<std::string> named(first_named, ids.end());
    ids.erase(first_named, ids.end());
    auto tests = choose_tests(std::move(ids), *rules, past, std::move(named));
    chosen = tests.ids.size();
    return tests;
  };
  if (command.selection.shuffle)
    display->on_note("the order is that of --shuffle=" + std::to_string(rules->seed));
  const auto end = run_tests(std::move(plan), listeners);
  if (!end) {
    display->finish({});
    return fail_setup(end.error().text());
  }
  history.finish();
  const auto report_errors = finish_reports(*reports);
  const auto code = exit_code(end->outcome);
  if (end->refused) {
    display->finish({});
    return fail_setup("the server could not begin: " + *end->refused);
  }
  if (code == ExitCode::success && chosen == 0) {
    display->finish(nothing_selected_text(command.selection, listed, gone));
    return as_int(ExitCode::nothing_selected);
  }
  for (const auto& error : report_errors) fail_setup(error.text());
  return report_errors.empty() ? as_int(code) : as_int(ExitCode::trouble);
}

}  // namespace hearth::client
