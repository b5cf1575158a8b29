#include "client/run/orchestrator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include "client/exit_code.hpp"

using namespace hearth::client;
using hearth::protocol::TestStatus;
using Words = std::vector<std::string>;

namespace {

class Recorder : public RunListener {
 public:
  void on_note(std::string_view line) override { notes.emplace_back(line); }
  void on_begin(const RunInfo& info) override { selected = *info.ids; }
  void on_packet(Worker, const hearth::protocol::PacketView&) override { ++packets; }
  void on_result(const TestReport& report, const Counts&) override {
    for (const auto& attachment : report.attachments) attached += attachment.text;
    if (report.lost) return lost.push_back(report.id);
    if (!report.asked_for) return strays.push_back(report.id);
    reports.push_back(report.id + " " + std::string(to_string(report.status)));
    if (interrupt) std::raise(SIGINT);
  }

  bool interrupt = false;
  std::string attached;
  Words notes, selected, reports, lost, strays;
  std::size_t packets = 0;
};

Words command(const std::string& behaviour, Words ids) {
  ids.insert(ids.begin(), {FAKE_SERVER, behaviour});
  return ids;
}

Chosen chosen(Words ids) {
  Chosen tests;
  tests.ids = std::move(ids);
  return tests;
}

RunPlan run_all() {
  RunPlan plan;
  plan.choose = [](Words listed) { return chosen(std::move(listed)); };
  return plan;
}

RunEnd run(const Words& server, RunPlan plan, Recorder& recorder) {
  plan.servers = {server};
  auto end = run_tests(std::move(plan), recorder);
  REQUIRE(end);
  return std::move(*end);
}

Words missing(const RunEnd& end) {
  return end.outcome.missing;
}

}  // namespace

TEST_CASE("Orchestrator: lists, runs everything, and leaves in good order") {
  Recorder recorder;
  const auto end = run(command("good", {"a.pass", "b.fail", "c.pass"}), run_all(), recorder);
  CHECK_FALSE(end.refused);
  CHECK(recorder.selected == Words{"a.pass", "b.fail", "c.pass"});
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
  plan.choose = [](const Words&) { return chosen({"b.pass"}); };
  auto end = run(command("good", {"a.pass", "b.pass"}), std::move(plan), recorder);
  CHECK(recorder.reports == Words{"b.pass success"});
  CHECK(exit_code(end.outcome) == ExitCode::success);

  Recorder lister;
  end = run(command("good", {"a.pass"}), RunPlan{}, lister);
  CHECK(end.listed == Words{"a.pass"});
  CHECK(lister.reports.empty());
  CHECK(end.outcome.counts == Counts{});
}

TEST_CASE("Orchestrator: ids given are run as they are, without a list") {
  Recorder recorder;
  RunPlan plan;
  plan.list_first = false;
  plan.choose = [](const Words&) { return chosen({"x.pass", "x.pass", "y.fail"}); };
  const auto end = run(command("good", {}), std::move(plan), recorder);
  CHECK(end.listed.empty());
  CHECK(recorder.reports == Words{"x.pass success", "x.pass success", "y.fail fail"});
  CHECK(end.outcome.counts.missing() == 0);
  CHECK(end.outcome.counts.expected == 3);
}

TEST_CASE("Orchestrator: a result that the server leaves out is missing, not passed") {
  Recorder recorder;
  const auto end = run(command("good", {"a.pass", "b.omit"}), run_all(), recorder);
  CHECK(missing(end) == Words{"b.omit"});
  CHECK(exit_code(end.outcome) == ExitCode::results_missing);
}

TEST_CASE(
    "Orchestrator: a test that loses its server twice has failed; all others have their results") {
  Recorder recorder;
  const auto end = run(command("good", {"a.pass", "b.lost", "c.pass"}), run_all(), recorder);
  std::sort(recorder.reports.begin(), recorder.reports.end());
  CHECK(recorder.reports == Words{"a.pass success", "b.lost fail", "c.pass success"});
  CHECK(missing(end).empty());
  CHECK_FALSE(end.outcome.lost);
  REQUIRE(end.outcome.failures.size() == 1);
  CHECK(end.outcome.failures[0].cause.find("lost") != std::string::npos);
  CHECK(recorder.attached.find("last words") != std::string::npos);
  CHECK(recorder.attached.find("SIGKILL") != std::string::npos);
  CHECK(exit_code(end.outcome) == ExitCode::failures);
}

TEST_CASE(
    "Orchestrator: a server that is lost again and again without a test that ends is given up") {
  Recorder recorder;
  auto plan = run_all();
  plan.list_first = false;
  plan.choose = [](const Words&) { return chosen({"a.pass", "b.pass"}); };
  const auto end = run(command("falls", {}), std::move(plan), recorder);
  REQUIRE(end.outcome.lost);
  CHECK(end.outcome.lost->find("exited with status 7") != std::string::npos);
  CHECK(missing(end) == Words{"b.pass"});
  CHECK(recorder.lost == Words{"b.pass"});
  CHECK(end.outcome.counts == Counts{.expected = 2, .done = 2, .failed = 1, .lost = 1});
  CHECK(exit_code(end.outcome) == ExitCode::results_missing);
}

TEST_CASE("Orchestrator: a failure is retried; a pass after it is flaky") {
  Recorder recorder;
  auto plan = run_all();
  plan.retries = 2;
  const auto end = run(command("good", {"a.pass", "b.fail", "c.flaky"}), std::move(plan), recorder);
  CHECK(end.outcome.counts ==
        Counts{.expected = 3, .done = 3, .passed = 1, .failed = 1, .flaky = 1});
  CHECK(std::count(recorder.reports.begin(), recorder.reports.end(), "b.fail fail") == 3);
  CHECK(std::count(recorder.reports.begin(), recorder.reports.end(), "c.flaky fail") == 1);
  CHECK(std::count(recorder.reports.begin(), recorder.reports.end(), "c.flaky success") == 1);
  REQUIRE(end.outcome.failures.size() == 1);
  CHECK(end.outcome.failures[0].id == "b.fail");
}

TEST_CASE("Orchestrator: rounds, and a stop at the first failure") {
  Recorder recorder;
  auto plan = run_all();
  plan.rounds = 3;
  auto end = run(command("good", {"a.pass", "b.pass"}), std::move(plan), recorder);
  CHECK(end.outcome.counts == Counts{.expected = 6, .done = 6, .passed = 6});
  CHECK_FALSE(end.outcome.stopped_early);

  Recorder second;
  plan = run_all();
  plan.rounds = 0;
  plan.max_failures = 1;
  end = run(command("good", {"a.pass", "c.later"}), std::move(plan), second);
  CHECK(end.outcome.counts.failed == 1);
  CHECK(end.outcome.counts.passed == 3);
  CHECK(exit_code(end.outcome) == ExitCode::failures);
}

TEST_CASE("Orchestrator: isolated tests have a server each") {
  Recorder recorder;
  auto plan = run_all();
  plan.isolated = true;
  // Every server calls its first test of this name a failure.
  const auto end =
      run(command("good", {"a.first", "b.first", "c.pass"}), std::move(plan), recorder);
  CHECK(end.outcome.counts == Counts{.expected = 3, .done = 3, .passed = 1, .failed = 2});
}

TEST_CASE("Orchestrator: several servers share the tests, and what one loses goes to another") {
  Recorder recorder;
  auto plan = run_all();
  Words ids{"x.lost"};
  for (int i = 0; i < 50; ++i) ids.push_back("t" + std::to_string(i) + ".pass");
  plan.servers.assign(4, command("good", ids));
  auto end = run_tests(std::move(plan), recorder);
  REQUIRE(end);
  CHECK(end->outcome.counts == Counts{.expected = 51, .done = 51, .passed = 50, .failed = 1});
  CHECK_FALSE(end->outcome.lost);
}

TEST_CASE("Orchestrator: results nobody asked for, or twice, fill no gap") {
  Recorder recorder;
  const auto end = run(command("good", {"a.twice", "b.stray", "c.omit"}), run_all(), recorder);
  CHECK(missing(end) == Words{"c.omit"});
  CHECK(end.outcome.counts.done == 3);
  CHECK(end.outcome.counts.lost == 1);
  CHECK(recorder.strays == Words{"a.twice", "nobody.asked"});
}

TEST_CASE("Orchestrator: a Hello that never comes is an error, with what came instead") {
  Recorder recorder;
  auto plan = run_all();
  plan.patience.start = std::chrono::milliseconds(1);
  const auto end = run(command("silent", {}), std::move(plan), recorder);
  REQUIRE(end.refused);
  CHECK(end.refused->find("no Hello") != std::string::npos);

  Recorder second;
  const auto chatty =
      run({"/bin/sh", "-c", "echo 'what you see'; echo 'is it' >&2"}, run_all(), second);
  REQUIRE(chatty.refused);
  CHECK(chatty.refused->find("exited with status 0") != std::string::npos);
  CHECK(chatty.refused->find("what you see") != std::string::npos);
  CHECK(chatty.refused->find("is it") != std::string::npos);
}

TEST_CASE("Orchestrator: a server that stops answering is given up") {
  Recorder recorder;
  auto plan = run_all();
  plan.patience.quiet = plan.patience.silence = plan.patience.long_silence =
      std::chrono::milliseconds(1);
  const auto end = run(command("deaf", {"a.pass"}), std::move(plan), recorder);
  CHECK(recorder.reports == Words{"a.pass fail"});
  CHECK(recorder.attached.find("said nothing") != std::string::npos);
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
  auto plan = run_all();
  plan.servers = {{"/no/such/program"}};
  const auto end = run_tests(std::move(plan), recorder);
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

TEST_CASE("Orchestrator: what a server printed that is elsewhere, and how it ended, is told") {
  Recorder recorder;
  auto end = run(command("passed_on", {"a.pass"}), run_all(), recorder);
  CHECK(exit_code(end.outcome) == ExitCode::success);
  CHECK(recorder.notes == Words{"a line", "half and half", "no newline"});

  Recorder lost;
  end = run(command("passed_on", {"a.lost"}), run_all(), lost);
  CHECK(std::count(lost.notes.begin(), lost.notes.end(), "server: for good") > 0);
  REQUIRE(end.outcome.failures.size() == 1);
  CHECK(end.outcome.failures[0].cause.find("the tunnel broke for good") != std::string::npos);
}

namespace {

bool has(const Words& lines, std::string_view what) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

// Deadlines that are over at once, for what a server will not do however long it is waited for.
RunPlan impatient() {
  auto plan = run_all();
  using std::chrono::milliseconds;
  plan.patience.quiet = milliseconds(1);
  plan.patience.done = plan.patience.after_damage = milliseconds(2);
  plan.patience.grace = plan.patience.end = plan.patience.group = milliseconds(1);
  plan.patience.hurried_end = milliseconds(1);
  return plan;
}

bool lives(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = line.rfind(") ");
  return name_end != std::string::npos && line[name_end + 2] != 'Z' && line[name_end + 2] != 'X';
}

pid_t pid_told(const Words& notes) {
  for (const auto& note : notes)
    if (note.starts_with("pid ")) return std::stoi(note.substr(4));
  return -1;
}

}  // namespace

TEST_CASE("Orchestrator: a list that arrives damaged is asked for again") {
  for (const std::string behaviour : {"list_damaged_once", "list_done_damaged"}) {
    CAPTURE(behaviour);
    Recorder recorder;
    auto plan = run_all();
    if (behaviour == "list_done_damaged") plan.patience.quiet = std::chrono::milliseconds(1);
    const auto end =
        run(command(behaviour, {"a.pass", "b.pass", "c.pass"}), std::move(plan), recorder);
    CHECK(recorder.selected.size() == 3);
    CHECK(end.outcome.counts.passed == 3);
    CHECK(has(recorder.notes, "a damaged packet"));
    CHECK(has(recorder.notes, "asking for it again"));
    CHECK(exit_code(end.outcome) == ExitCode::success);
  }
}

TEST_CASE("Orchestrator: a list that is always damaged is no list to be green by") {
  for (const bool lists_only : {false, true}) {
    CAPTURE(lists_only);
    Recorder recorder;
    const auto end = run(command("list_damaged", {"a.pass", "b.pass"}),
                         lists_only ? RunPlan{} : run_all(), recorder);
    CHECK(recorder.reports.empty());
    REQUIRE(end.outcome.doubts.size() == 1);
    CHECK(end.outcome.doubts[0].find("the list of tests is not complete") != std::string::npos);
    CHECK(exit_code(end.outcome) == ExitCode::results_missing);
  }
}

TEST_CASE("Orchestrator: a list that goes on after its Done was not complete") {
  for (const bool lists_only : {false, true}) {
    CAPTURE(lists_only);
    Recorder recorder;
    const auto end = run(command("list_late", {"a.pass", "b.pass"}),
                         lists_only ? RunPlan{} : run_all(), recorder);
    REQUIRE(end.outcome.doubts.size() == 1);
    CHECK(end.outcome.doubts[0].find("b.pass") != std::string::npos);
    CHECK(exit_code(end.outcome) == ExitCode::results_missing);
  }
}

TEST_CASE("Orchestrator: a test that is listed twice is run once, and that is said") {
  Recorder recorder;
  const auto end = run(command("list_twice", {"a.pass", "b.pass"}), run_all(), recorder);
  CHECK(recorder.selected == Words{"a.pass", "b.pass"});
  CHECK(end.outcome.counts == Counts{.expected = 2, .done = 2, .passed = 2});
  CHECK(has(recorder.notes, "lists 2 tests more than once (a.pass)"));
}

TEST_CASE("Orchestrator: results nobody asked for are in no count, and said to be a fault") {
  Recorder recorder;
  const auto end = run(command("good", {"a.twice", "b.stray"}), run_all(), recorder);
  CHECK(end.outcome.counts == Counts{.expected = 2, .done = 2, .passed = 2});
  CHECK(recorder.packets == 4);
  CHECK(has(recorder.notes, "nobody asked for, or a second one, which is not counted: a.twice"));
  CHECK(has(recorder.notes, "nobody.asked success"));
  CHECK(exit_code(end.outcome) == ExitCode::success);
}

TEST_CASE("Orchestrator: packets of an earlier Run count for no later one") {
  Recorder recorder;
  auto plan = run_all();
  plan.rounds = 2;
  const auto end = run(command("stale", {"a.pass", "b.pass"}), std::move(plan), recorder);
  CHECK(end.outcome.counts == Counts{.expected = 4, .done = 4, .passed = 2, .lost = 2});
  CHECK(exit_code(end.outcome) == ExitCode::results_missing);
}

TEST_CASE("Orchestrator: a Done that never comes is an error at its deadline; results count") {
  for (const std::string behaviour : {"no_done", "wrong_done", "damaged_done"}) {
    CAPTURE(behaviour);
    Recorder recorder;
    const auto end = run(command(behaviour, {"a.pass", "b.fail"}), impatient(), recorder);
    CHECK(end.outcome.counts == Counts{.expected = 2, .done = 2, .passed = 1, .failed = 1});
    REQUIRE(end.outcome.doubts.size() == 1);
    CHECK(end.outcome.doubts[0].find("never said that the Run was over (Done)") !=
          std::string::npos);
    CHECK(has(recorder.notes, "it is given up after"));
    CHECK(exit_code(end.outcome) == ExitCode::results_missing);
  }
}

TEST_CASE("Orchestrator: attachments after the final status are shown as the server's fault") {
  Recorder recorder;
  const auto end = run(command("good", {"a.late", "b.pass"}), run_all(), recorder);
  CHECK(end.outcome.counts.passed == 2);
  CHECK(has(recorder.notes,
            "what it attached to a.late came behind the test's final status, or without one: "
            "traceback: too late"));
}

TEST_CASE("Orchestrator: the protocol's own id is failed without asking") {
  Recorder recorder;
  RunPlan plan;
  plan.list_first = false;
  plan.choose = [](const Words&) { return chosen({"testrepository-rpc", "a.pass"}); };
  const auto end = run(command("good", {}), std::move(plan), recorder);
  CHECK(end.outcome.counts == Counts{.expected = 1, .done = 1, .passed = 1, .unasked_failures = 1});
  CHECK(recorder.attached.find("needs another name") != std::string::npos);
  CHECK(recorder.notes.empty());
  CHECK(exit_code(end.outcome) == ExitCode::failures);

  Recorder alone;
  plan = RunPlan{};
  plan.list_first = false;
  plan.choose = [](const Words&) { return chosen({"testrepository-rpc"}); };
  CHECK(exit_code(run(command("good", {}), std::move(plan), alone).outcome) == ExitCode::failures);
}

TEST_CASE("Orchestrator: twenty thousand errors are borne, and not all shown") {
  Recorder recorder;
  const auto end = run(command("floods", {"a.pass"}), run_all(), recorder);
  CHECK(end.outcome.counts.passed == 1);
  CHECK(recorder.notes.size() == 101);
  CHECK(has(recorder.notes, "further ones are not shown"));
}

TEST_CASE("Orchestrator: a server that is stopped is named, and given up at its deadline") {
  Recorder recorder;
  auto plan = impatient();
  plan.patience.quiet = plan.patience.done = std::chrono::hours(1);
  plan.patience.look = std::chrono::milliseconds(1);
  plan.patience.stopped = std::chrono::milliseconds(1);
  const auto end = run(command("stops", {"a.pass"}), std::move(plan), recorder);
  CHECK(has(recorder.notes, "(fake_server) of the server is stopped"));
  CHECK(has(recorder.notes, "kill -CONT"));
  CHECK(has(recorder.notes, "was stopped, and stood still for"));
  CHECK(end.outcome.counts.passed == 0);
  CHECK(exit_code(end.outcome) != ExitCode::success);
}

TEST_CASE("Orchestrator: the whole process group of a server is ended, then killed") {
  for (const bool interrupt : {false, true}) {
    CAPTURE(interrupt);
    Recorder recorder;
    recorder.interrupt = interrupt;
    const auto end =
        run({"/bin/sh", "-c", std::string(FAKE_SERVER) + " stubborn a.pass b.pass; true"},
            impatient(), recorder);
    const auto pid = pid_told(recorder.notes);
    REQUIRE(pid > 0);
    CHECK_FALSE(lives(pid));
    CHECK(end.outcome.interrupted == interrupt);
  }
}

TEST_CASE("Orchestrator: a hundred thousand tests") {
  Words ids;
  for (int i = 0; i < 100'000; ++i)
    ids.push_back("program.Suite.test_" + std::to_string(i) + ".pass");
  Recorder recorder;
  RunPlan plan;
  plan.list_first = false;
  plan.choose = [&](const Words&) { return chosen(ids); };
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

TEST_CASE("Orchestrator: how a program ends is a result, whatever number of Runs there was") {
  const auto plans = [] {
    std::vector<RunPlan> all(5);
    for (auto& plan : all) plan = run_all();
    all[1].retries = 1;
    all[2].rounds = 3;
    all[3].isolated = true;
    all[4].list_first = false;
    all[4].choose = [](const Words&) { return chosen({"a.pass"}); };
    return all;
  };
  for (auto& plan : plans()) {
    Recorder recorder;
    const auto end = run(command("ends_badly", {"a.pass"}), std::move(plan), recorder);
    CHECK(recorder.strays == Words{"p.exit"});
    CHECK(end.outcome.counts.unasked_failures == 1);
    CHECK(end.outcome.counts.failed == 0);
    CHECK(end.outcome.counts.passed == end.outcome.counts.expected);
    REQUIRE(end.outcome.failures.size() == 1);
    CHECK(end.outcome.failures[0].id == "p.exit");
    CHECK(exit_code(end.outcome) == ExitCode::failures);
    CHECK(recorder.notes.empty());
  }
}

TEST_CASE("Orchestrator: each of several servers has its programs' end, once") {
  Recorder recorder;
  auto plan = run_all();
  plan.servers.assign(2, command("ends_badly", {"a.pass", "b.pass", "c.pass", "d.pass"}));
  plan.choose = [](Words listed) {
    auto tests = chosen(std::move(listed));
    tests.tests.resize(4);
    for (std::uint32_t i = 0; i < 4; ++i) tests.tests[i].group = i % 2;
    return tests;
  };
  const auto end = run_tests(std::move(plan), recorder);
  REQUIRE(end);
  CHECK(end->outcome.counts.passed == 4);
  CHECK(recorder.strays.size() >= 1);
  CHECK(recorder.strays.size() <= 2);  // one may have been too late for a test
  CHECK(exit_code(end->outcome) == ExitCode::failures);
}

TEST_CASE("Orchestrator: a server that is lost while its programs end makes no green run") {
  for (const unsigned retries : {0U, 1U}) {
    Recorder recorder;
    auto plan = run_all();
    plan.retries = retries;
    const auto end = run(command("ends_lost", {"a.pass"}), std::move(plan), recorder);
    CHECK(exit_code(end.outcome) != ExitCode::success);
    if (retries == 0) continue;
    REQUIRE(end.outcome.lost);
    CHECK(end.outcome.lost->find("its tests were over, but not its programs") == 0);
  }
}

TEST_CASE("Orchestrator: no end where none is wanted, or nothing ran") {
  Recorder recorder;
  auto plan = run_all();
  plan.to_the_end = false;
  auto end = run(command("ends_badly", {"a.pass"}), std::move(plan), recorder);
  CHECK(recorder.strays.empty());
  CHECK(exit_code(end.outcome) == ExitCode::success);
  end = run(command("ends_badly", {"p.exit"}), run_all(), recorder);
  CHECK(recorder.strays.empty());
  CHECK(end.outcome.counts == Counts{});
}

TEST_CASE("Orchestrator: what a List of everything does not show is listed by its name") {
  Recorder recorder;
  auto plan = run_all();
  Words listed;
  plan.wanted = [&](const Words& ids) {
    listed = ids;
    return Words{"p.exit", "s.gone", "p.S.teardown"};
  };
  const auto end = run(command("good", {"a.pass", "p.exit"}), std::move(plan), recorder);
  CHECK(listed == Words{"a.pass"});
  CHECK(recorder.selected == Words{"a.pass", "p.exit", "p.S.teardown"});
  CHECK(recorder.reports == Words{"a.pass success", "p.exit success", "p.S.teardown success"});
  CHECK(end.outcome.counts.expected == 3);
}
