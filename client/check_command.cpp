// `hearth check`: can a program be served; are its verdicts the same as without Hearth?
#include <fstream>
#include <iterator>

#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/compare/comparison.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

// Collects the verdicts; on a terminal it shows how far it is.
class CheckObserver : public RunListener {
 public:
  explicit CheckObserver(Display& display) : m_display(display) {}

  void on_note(std::string_view line) override { m_display.on_note(line); }
  void on_result(const TestReport& report, const Counts&) override {
    verdicts[report.id] = report.status;
    if (is_failure(report.status)) failure_texts[report.id] = failure_text(report);
  }
  void on_tick(const Snapshot& snapshot) override { m_display.on_tick(snapshot); }

  Verdicts verdicts;
  std::map<std::string, std::string> failure_texts;

 private:
  Display& m_display;
};

Expected<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    return tl::unexpected(Error{"read " + path, "it cannot be opened, or read to its end", ""});
  return text;
}

std::string load_id(const PlainProgram& program) {
  return program.name + ".load";
}

// What a server makes of a program that it cannot serve.
bool only_load(const std::vector<std::string>& listed, const PlainProgram& program) {
  return listed.size() == 1 && listed.front() == load_id(program);
}

// `listed`: gets what the server lists.
RunPlan make_plan(const CheckCommand& command, const PlainProgram& program,
                  const std::string& executable, std::vector<std::string>& listed) {
  RunPlan plan;
  plan.servers = {serve_command_line(executable, command.server)};
  plan.patience.grace = grace_of(command.server);
  plan.choose = [&](std::vector<std::string> ids) {
    listed = std::move(ids);
    Chosen chosen;
    if (command.compare || only_load(listed, program)) chosen.ids = listed;
    return chosen;
  };
  return plan;
}

int report_served(const std::vector<std::string>& listed, const CheckObserver& observer,
                  const PlainProgram& program, Display& display) {
  const auto failed = observer.failure_texts.find(load_id(program));
  if (only_load(listed, program) && failed != observer.failure_texts.end()) {
    display.finish(program.name + " cannot be served.\n" + failed->second);
    return as_int(ExitCode::failures);
  }
  display.finish(program.name + " can be served: " + counted(listed.size(), "test") + ".\n");
  return as_int(ExitCode::success);
}

Expected<PlainRun> plain_verdicts(const CheckCommand& command, const PlainProgram& program,
                                  const std::vector<std::string>& listed) {
  if (!command.plain_results) return run_plain(program, listed);
  const auto text = read_file(*command.plain_results);
  if (!text) return tl::unexpected(text.error());
  auto verdicts = parse_plain_results(*text, *command.plain_results);
  if (!verdicts) return tl::unexpected(verdicts.error());
  return PlainRun{{std::move(*verdicts)}, *command.plain_results, {}};
}

Expected<ExpectedDifferences> expected_differences(const CheckCommand& command) {
  if (!command.expected) return ExpectedDifferences();
  const auto text = read_file(*command.expected);
  if (!text) return tl::unexpected(text.error());
  return parse_expected(*text, *command.expected);
}

int report_comparison(const CheckObserver& observer, PlainRun plain, const PlainProgram& program,
                      const ExpectedDifferences& expected, Display& display) {
  auto verdicts = observer.verdicts;
  add_ends(verdicts, plain, program.name, expected);
  const auto comparison = compare(verdicts, plain.results.verdicts, expected);
  std::string text;
  for (const auto& difference : comparison.unexpected) {
    const auto failure = observer.failure_texts.find(difference.id);
    if (failure != observer.failure_texts.end()) text += failure->second;
  }
  const auto ended = end_text(plain);
  if (!ended.empty()) text += "By itself, the program " + ended + ".\n";
  text += "Compared with " + plain.framework + ":\n" + comparison_text(comparison, expected);
  display.finish(text);
  return as_int(comparison.unexpected.empty() ? ExitCode::success : ExitCode::failures);
}

}  // namespace

int check(const CheckCommand& command, const PlainProgram& program, const std::string& executable) {
  const auto expected = expected_differences(command);
  if (!expected) return fail_setup(expected.error().text());
  const auto display = make_display(STDOUT_FILENO);
  CheckObserver observer(*display);
  std::vector<std::string> listed;
  const auto end = run_tests(make_plan(command, program, executable, listed), observer);
  if (!end) return fail_setup(end.error().text());
  if (end->refused) return fail_setup("the server could not begin: " + *end->refused);
  const auto& outcome = end->outcome;
  if (outcome.interrupted || outcome.lost || !outcome.missing.empty() ||
      !outcome.doubts.empty()) {
    display->on_end(outcome);
    return as_int(exit_code(outcome));
  }
  if (!command.compare || only_load(listed, program))
    return report_served(listed, observer, program, *display);
  display->finish({});
  auto plain = plain_verdicts(command, program, listed);
  if (!plain) return fail_setup(plain.error().text());
  return report_comparison(observer, std::move(*plain), program, *expected, *display);
}

}  // namespace hearth::client
