#include "client/orchestrator.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace hearth::client;
using hearth::protocol::TestStatus;
using Words = std::vector<std::string>;

namespace {

class Recorder : public Observer {
 public:
  void on_note(std::string_view line) override { notes.emplace_back(line); }
  void on_selected(const std::vector<std::string>& ids) override { selected = ids; }
  void on_packet(const hearth::protocol::PacketView&) override { ++packets; }
  void on_report(const TestReport& report, const Counts&) override {
    reports.push_back(report.id + " " + std::string(to_string(report.status)));
    if (interrupt) std::raise(SIGINT);
  }
  void on_lost_test(const TestReport& report) override {
    lost.push_back(report.id + ": " +
                   (report.attachments.empty() ? "" : report.attachments[0].text));
  }

  bool interrupt = false;
  Words notes, selected, reports, lost;
  std::size_t packets = 0;
};

Words command(const std::string& behaviour, Words ids) {
  ids.insert(ids.begin(), {FAKE_SERVER, behaviour});
  return ids;
}

SessionPlan run_all() {
  SessionPlan plan;
  plan.choose = [](const Words& listed) { return listed; };
  return plan;
}

SessionEnd run(const Words& server, SessionPlan plan, Recorder& recorder) {
  auto end = run_session(server, std::move(plan), recorder);
  REQUIRE(end);
  return std::move(*end);
}

Words missing(const SessionEnd& end) {
  Words ids;
  for (const auto& test : end.outcome.missing) ids.push_back(test.id);
  return ids;
}

}  // namespace

TEST_CASE("Orchestrator: lists, runs everything, and leaves in good order") {
  Recorder recorder;
  const auto end = run(command("good", {"a.pass", "b.fail", "c.pass"}), run_all(), recorder);
  CHECK_FALSE(end.refused);
  CHECK(end.listed == Words{"a.pass", "b.fail", "c.pass"});
  CHECK(recorder.selected == end.listed);
  CHECK(recorder.reports == Words{"a.pass success", "b.fail fail", "c.pass success"});
  CHECK(recorder.packets == 7);
  CHECK(recorder.notes.empty());
  CHECK(end.outcome.counts == Counts{3, 3, 2, 1, 0, 0});
  REQUIRE(end.outcome.failures.size() == 1);
  CHECK(end.outcome.failures[0].id == "b.fail");
  CHECK(end.outcome.failures[0].cause == "why");
  CHECK(exit_code(end.outcome) == ExitCode::failures);
}

TEST_CASE("Orchestrator: runs what is chosen, and nothing where nothing is") {
  Recorder recorder;
  auto plan = run_all();
  plan.choose = [](const Words&) { return Words{"b.pass"}; };
  auto end = run(command("good", {"a.pass", "b.pass"}), std::move(plan), recorder);
  CHECK(recorder.reports == Words{"b.pass success"});
  CHECK(exit_code(end.outcome) == ExitCode::success);

  Recorder lister;
  end = run(command("good", {"a.pass"}), SessionPlan{}, lister);
  CHECK(end.listed == Words{"a.pass"});
  CHECK(lister.reports.empty());
  CHECK(end.outcome.counts == Counts{});
}

TEST_CASE("Orchestrator: ids given are run as they are, without a list") {
  Recorder recorder;
  SessionPlan plan;
  plan.ids = Words{"x.pass", "x.pass", "y.fail"};
  const auto end = run(command("good", {}), std::move(plan), recorder);
  CHECK(end.listed.empty());
  CHECK(recorder.reports == Words{"x.pass success", "x.pass success", "y.fail fail"});
  CHECK(end.outcome.counts.missing() == 0);
}

TEST_CASE("Orchestrator: a result that the server leaves out is missing, not passed") {
  Recorder recorder;
  const auto end = run(command("good", {"a.pass", "b.omit"}), run_all(), recorder);
  CHECK(missing(end) == Words{"b.omit"});
  CHECK(exit_code(end.outcome) == ExitCode::results_missing);
}

TEST_CASE("Orchestrator: a lost server leaves its tests missing, and what they said last") {
  Recorder recorder;
  const auto end = run(command("good", {"a.pass", "b.lost", "c.pass"}), run_all(), recorder);
  CHECK(recorder.reports == Words{"a.pass success"});
  CHECK(recorder.lost == Words{"b.lost: last words"});
  CHECK(missing(end) == Words{"b.lost", "c.pass"});
  REQUIRE(end.outcome.lost);
  CHECK(end.outcome.lost->find("SIGKILL") != std::string::npos);
  CHECK(exit_code(end.outcome) == ExitCode::results_missing);
}

TEST_CASE("Orchestrator: a server lost while it lists has not listed") {
  Recorder recorder;
  const auto end = run(command("cut", {"a.pass"}), run_all(), recorder);
  CHECK_FALSE(end.refused);
  REQUIRE(end.outcome.lost);
  CHECK(end.outcome.lost->find("exited with status 4") != std::string::npos);
  CHECK(recorder.reports.empty());
  CHECK(exit_code(end.outcome) == ExitCode::results_missing);
}

TEST_CASE("Orchestrator: a server that does not begin is told from one that is lost") {
  for (const auto& [behaviour, cause] : std::vector<std::pair<std::string, std::string>>{
           {"mute", "exited with status 3"}, {"disjoint", "versions 8 to 9"}}) {
    Recorder recorder;
    const auto end = run(command(behaviour, {"a.pass"}), run_all(), recorder);
    REQUIRE(end.refused);
    CHECK(end.refused->find(cause) != std::string::npos);
  }
}

TEST_CASE("Orchestrator: a program that is not there cannot be a server") {
  Recorder recorder;
  const auto end = run_session({"/no/such/program"}, run_all(), recorder);
  REQUIRE_FALSE(end);
  CHECK(end.error().attempted.find("/no/such/program") != std::string::npos);
  CHECK(end.error().cause == "No such file or directory");
}

TEST_CASE("Orchestrator: an interrupt ends the run in good order") {
  Recorder recorder;
  recorder.interrupt = true;
  const auto end = run(command("good", {"a.pass", "b.hang"}), run_all(), recorder);
  CHECK(end.outcome.interrupted);
  CHECK_FALSE(end.outcome.lost);
  CHECK(recorder.reports == Words{"a.pass success"});
  CHECK(missing(end) == Words{"b.hang"});
  CHECK(exit_code(end.outcome) == ExitCode::interrupted);
}

TEST_CASE("Orchestrator: noise in the stream, and the server's stderr, are shown and do no harm") {
  Recorder recorder;
  auto end = run(command("good", {"a.noise", "b.pass"}), run_all(), recorder);
  CHECK(exit_code(end.outcome) == ExitCode::success);
  REQUIRE(recorder.notes.size() == 1);
  CHECK(recorder.notes[0].find("noise") != std::string::npos);

  Recorder grumpy;
  end = run(command("grumpy", {"a.pass"}), run_all(), grumpy);
  CHECK(exit_code(end.outcome) == ExitCode::success);
  std::sort(grumpy.notes.begin(), grumpy.notes.end());
  CHECK(grumpy.notes == Words{"after Goodbye, the server exited with status 5", "and no newline",
                              "grumpy\\x1b today"});
}

TEST_CASE("Orchestrator: a hundred thousand tests") {
  Words ids;
  for (int i = 0; i < 100'000; ++i)
    ids.push_back("program.Suite.test_" + std::to_string(i) + ".pass");
  Recorder recorder;
  SessionPlan plan;
  plan.ids = ids;
  const auto end = run(command("good", {}), std::move(plan), recorder);
  CHECK(end.outcome.counts == Counts{100'000, 100'000, 100'000, 0, 0, 0});
}

TEST_CASE("Orchestrator: ids go into as few commands as can carry them, in order, none twice") {
  const Words ids{"aa", "bb", "cc", "dd", "ee"};
  const auto sizes = [&](std::size_t max_ids, std::size_t max_bytes) {
    std::vector<std::size_t> all;
    std::size_t next = 0;
    for (const auto command_ids : in_commands(ids, max_ids, max_bytes)) {
      for (const auto& id : command_ids) CHECK(id == ids[next++]);
      all.push_back(command_ids.size());
    }
    CHECK(next == ids.size());
    return all;
  };
  using Sizes = std::vector<std::size_t>;
  CHECK(sizes(10, 1000) == Sizes{5});
  CHECK(sizes(2, 1000) == Sizes{2, 2, 1});
  CHECK(sizes(10, 30) == Sizes{2, 2, 1});
  CHECK(sizes(10, 1) == Sizes{1, 1, 1, 1, 1});
  CHECK(in_commands({}).empty());
}
