// `hearth run --analyze-isolation`: which tests fail because of others that ran before them in the
// same process, and because of which.
#include <map>

#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/run/witness.hpp"
#include "client/run_support.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

using Tests = std::vector<std::string>;

// What came of one run: each test's status, and its failure as it is shown.
class Verdicts : public RunListener {
 public:
  explicit Verdicts(RunListener* notes) : m_notes(notes) {}
  void on_note(std::string_view line) override {
    if (m_notes != nullptr) m_notes->on_note(line);
  }
  void on_begin(const RunInfo& run) override { order = *run.ids; }
  void on_result(const TestReport& report, const Counts&) override {
    if (report.asked_for && is_failure(report.status)) failures[report.id] = failure_text(report);
  }
  void on_tick(const Snapshot& snapshot) override {
    if (m_notes != nullptr) m_notes->on_tick(snapshot);
  }

  Tests order;
  std::map<std::string, std::string> failures;

 private:
  RunListener* m_notes;
};

// Tests of programs whose names differ never run in one process.
std::string_view program_of(std::string_view id) {
  return id.substr(0, id.find('.'));
}

class Analysis {
 public:
  Analysis(const RunCommand& command, const ProjectServers& servers, Display& display)
      : m_command(command), m_servers(servers), m_display(display) {}

  int analyze(const ChoiceRules& rules);

 private:
  std::optional<bool> fails_after(const Tests& earlier, const std::string& test);
  std::string account_of(const std::string& test, const Tests& order);
  std::string account_of_earlier(const std::string& test, const Tests& order);

  const RunCommand& m_command;
  const ProjectServers& m_servers;
  Display& m_display;
  std::optional<Expected<RunEnd>> m_stopped;  // the run that could not be finished
};

std::optional<bool> Analysis::fails_after(const Tests& earlier, const std::string& test) {
  auto run = run_plan(m_command, m_servers);
  run.list_first = false;
  run.to_the_end = false;
  run.choose = [&](const Tests&) {
    Chosen chosen;
    chosen.ids = earlier;
    chosen.ids.push_back(test);
    chosen.order = ScheduleOptions::Order::as_given;
    return chosen;
  };
  Verdicts verdicts(nullptr);
  auto end = run_tests(std::move(run), verdicts);
  if (!end || end->refused || end->outcome.interrupted || end->outcome.lost ||
      !end->outcome.doubts.empty()) {
    m_stopped = std::move(end);
    return std::nullopt;
  }
  const bool fails = verdicts.failures.count(test) != 0;
  m_display.on_note("after " + counted(earlier.size(), "test") + " it " +
                    (fails ? "fails" : "passes"));
  return fails;
}

std::string Analysis::account_of(const std::string& test, const Tests& order) {
  m_display.on_note("Why does " + printable_line(test) + " fail?");
  const auto alone = fails_after({}, test);
  if (!alone) return {};
  if (*alone) return printable_line(test) + "\n    fails by itself\n";
  return account_of_earlier(test, order);
}

std::string Analysis::account_of_earlier(const std::string& test, const Tests& order) {
  Tests earlier;
  for (const auto& id : order) {
    if (id == test) break;
    if (program_of(id) == program_of(test)) earlier.push_back(id);
  }
  const auto again = fails_after(earlier, test);
  if (!again) return {};
  if (!*again)
    return printable_line(test) + "\n    failed once, and passes by itself and after the same " +
           counted(earlier.size(), "test") + ": it is flaky, whatever runs before it\n";
  const auto witness =
      smallest_witness(earlier, [&](const Tests& tests) { return fails_after(tests, test); });
  if (!witness) return {};
  auto text = printable_line(test) + "\n    passes by itself, and fails in one process after\n";
  for (const auto& id : *witness) text += "        " + printable_line(id) + "\n";
  return text;
}

int Analysis::analyze(const ChoiceRules& rules) {
  auto first = run_plan(m_command, m_servers);
  first.list_first = !rules.given;
  first.to_the_end = false;
  first.choose = [&](Tests listed) {
    auto chosen = choose_tests(std::move(listed), rules, {});
    chosen.order = ScheduleOptions::Order::as_given;
    return chosen;
  };
  Verdicts verdicts(&m_display);
  m_stopped.emplace(run_tests(std::move(first), verdicts));
  const auto& end = *m_stopped;
  std::string text;
  if (end && !end->refused && !end->outcome.interrupted && !end->outcome.lost &&
      end->outcome.doubts.empty()) {
    if (verdicts.order.empty()) {
      m_display.finish("hearth: nothing to analyze: no test is selected\n");
      return as_int(ExitCode::nothing_selected);
    }
    if (verdicts.failures.empty()) {
      m_display.finish("None of " + counted(verdicts.order.size(), "test") +
                       " fails when those of a program run in one process, in this order.\n");
      return as_int(ExitCode::success);
    }
    m_stopped.reset();
    for (const auto& id : verdicts.order)
      if (verdicts.failures.count(id) != 0 && !m_stopped) text += account_of(id, verdicts.order);
  }
  m_display.finish(text);
  if (!m_stopped) return as_int(ExitCode::failures);
  if (!*m_stopped) return fail_setup(m_stopped->error().text());
  if ((*m_stopped)->refused)
    return fail_setup("the server could not begin: " + *(*m_stopped)->refused);
  if ((*m_stopped)->outcome.interrupted) return as_int(ExitCode::interrupted);
  const auto& outcome = (*m_stopped)->outcome;
  descriptor_writer(STDERR_FILENO)(
      "hearth: " +
      (outcome.lost ? "the server was lost: " + *outcome.lost : outcome.doubts.front()) + "\n");
  return as_int(ExitCode::results_missing);
}

}  // namespace

int analyze_isolation(RunCommand command, const std::string& executable) {
  command.project.server.isolation = "none";
  const auto servers = find_servers(command.project, executable, 1);
  if (!servers) return fail_setup(servers.error().text());
  const auto rules = choice_rules(command.selection, *servers);
  if (!rules) return fail_setup(rules.error().text());
  const auto display = make_display(STDOUT_FILENO, {command.every_result, command.color});
  return Analysis(command, *servers, *display).analyze(*rules);
}

}  // namespace hearth::client
