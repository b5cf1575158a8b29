// `hearth run`: runs tests, shows how it goes, and says with its exit code how it went.
#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/selection.hpp"
#include "client/subunit_file.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

protocol::Timestamp wall_clock() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

class RunObserver : public Observer {
 public:
  RunObserver(Display& display, std::optional<SubunitFile> file)
      : m_display(display), m_file(std::move(file)) {}

  void on_note(std::string_view line) override { m_display.note(line); }
  void on_packet(const protocol::PacketView& packet) override {
    if (m_file) m_file->write(packet.wire);
  }
  void on_report(const TestReport& report, const Counts& counts) override {
    m_display.result(report, counts);
  }
  void on_lost_test(const TestReport& report) override {
    auto text = failure_text(report);
    text.pop_back();  // the newline: a note has none
    m_display.note(text);
  }
  void on_tick(const Snapshot& snapshot) override {
    m_display.progress(snapshot);
    if (m_file) m_file->flush();
  }

  // The file's last packets. An error if anything of it could not be written.
  std::optional<Error> finish_file(const Outcome& outcome) {
    if (!m_file) return std::nullopt;
    if (!outcome.interrupted) {
      const auto why = "No result: " + outcome.lost.value_or("the server left it out") + "\n";
      for (const auto& test : outcome.missing) m_file->write_missing(test, why, wall_clock());
    }
    if (m_file->flush()) return std::nullopt;
    return m_file->error();
  }

 private:
  Display& m_display;
  std::optional<SubunitFile> m_file;
};

Expected<SessionPlan> make_plan(const RunCommand& command) {
  auto selector = Selector::make(command.patterns);
  if (!selector) return tl::unexpected(selector.error());
  SessionPlan plan;
  plan.grace = grace_of(command.server);
  if (command.load_list) {
    auto ids = read_id_list(*command.load_list);
    if (!ids) return tl::unexpected(ids.error());
    plan.ids = selector->select(std::move(*ids));
  } else {
    plan.choose = [selector = std::move(*selector)](const std::vector<std::string>& listed) {
      return selector.select(listed);
    };
  }
  return plan;
}

std::string nothing_selected_text(const RunCommand& command, const SessionEnd& end) {
  if (command.load_list)
    return "hearth: nothing to run: no test in " + *command.load_list +
           (command.patterns.empty() ? "" : " matches") + "\n";
  if (end.listed.empty()) return "hearth: nothing to run: the programs have no tests\n";
  return "hearth: nothing to run: none of " + counted(end.listed.size(), "test") +
         " matches; `hearth list` shows their ids\n";
}

}  // namespace

int run(const RunCommand& command, const std::string& executable) {
  auto plan = make_plan(command);
  if (!plan) return fail_setup(plan.error().text());
  std::optional<SubunitFile> file;
  if (command.subunit) {
    auto opened = SubunitFile::open(*command.subunit);
    if (!opened) return fail_setup(opened.error().text());
    file.emplace(std::move(*opened));
  }
  const auto display =
      make_display(command.subunit == "-" ? STDERR_FILENO : STDOUT_FILENO, command.every_result);
  RunObserver observer(*display, std::move(file));
  const auto end =
      run_session(serve_command_line(executable, command.server), std::move(*plan), observer);
  if (!end) {
    display->finish({});
    return fail_setup(end.error().text());
  }
  const auto file_error = observer.finish_file(end->outcome);
  const auto code = exit_code(end->outcome);
  if (end->refused) {
    display->finish({});
    return fail_setup("the server could not begin: " + *end->refused);
  }
  if (code == ExitCode::success && end->outcome.counts == Counts{}) {
    display->finish(nothing_selected_text(command, *end));
    return as_int(ExitCode::nothing_selected);
  }
  display->finish(summary_text(end->outcome));
  return file_error ? fail_setup(file_error->text()) : as_int(code);
}

}  // namespace hearth::client
