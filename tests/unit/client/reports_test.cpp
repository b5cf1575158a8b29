#include "client/reports/reports.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "client/reports/failure_details.hpp"
#include "client/reports/github_report.hpp"
#include "client/reports/test_name.hpp"
#include "client/reports/xml_text.hpp"
#include "tests/unit/client/packets.hpp"
#include "tests/unit/client/scratch_file.hpp"

using namespace hearth::client;
using namespace std::chrono_literals;
using namespace std::string_literals;
using hearth::client::test::noon;
using hearth::client::test::ScratchFile;
using hearth::protocol::TestStatus;

namespace {

TestReport report(std::string id, TestStatus status, const std::string& traceback = {}) {
  TestReport made;
  made.id = std::move(id);
  made.status = status;
  made.started_at = noon;
  made.ended_at = noon + 12ms;
  if (!traceback.empty())
    made.attachments = {{"traceback", "text/plain", traceback, traceback.size()}};
  return made;
}

TestReport with(TestReport made, std::string name, const std::string& text) {
  made.attachments.push_back({std::move(name), "text/plain;charset=utf8", text, text.size()});
  return made;
}

TestReport attempt(TestReport made, unsigned number, bool again) {
  made.attempt = number;
  made.will_retry = again;
  return made;
}

// What the report of `options` has after a run with these results.
std::string written(const ReportOptions& options, const std::string& path,
                    const std::vector<TestReport>& results, const Outcome& outcome = {}) {
  const auto reports = open_reports(options);
  REQUIRE(reports);
  const std::vector<std::string> ids(results.size());
  RunInfo run;
  run.ids = &ids;
  run.started_at = noon;
  for (const auto& listener : *reports) {
    listener->on_begin(run);
    for (const auto& result : results) listener->on_result(result, {});
    listener->on_end(outcome);
  }
  CHECK(finish_reports(*reports).empty());
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string junit(const std::vector<TestReport>& results, const Outcome& outcome = {}) {
  const ScratchFile scratch;
  ReportOptions options;
  options.junit = scratch.path;
  return written(options, scratch.path, results, outcome);
}

std::string tap(const std::vector<TestReport>& results, const Outcome& outcome = {}) {
  const ScratchFile scratch;
  ReportOptions options;
  options.tap = scratch.path;
  return written(options, scratch.path, results, outcome);
}

bool has(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE(text);
  return found;
}

}  // namespace

TEST_CASE("Test name: class and name are told apart at the last dot of the first word") {
  const auto parts = [](std::string_view id) {
    const auto name = split_id(id);
    return std::string(name.class_name) + " | " + std::string(name.name);
  };
  CHECK(parts("prog.Suite.Test") == "prog.Suite | Test");
  CHECK(parts("prog-1.2.Inst/Suite.Test/0") == "prog-1.2.Inst/Suite | Test/0");
  CHECK(parts("prog.suite.reads a.b files") == "prog.suite | reads a.b files");
  CHECK(parts("prog.load") == "prog | load");
  CHECK(parts("alone") == " | alone");
  CHECK(parts("prog.ends.") == "prog | ends.");
  CHECK(parts(".x") == " | .x");
  CHECK(parts("").empty() == false);
}

TEST_CASE("XML text: markup is escaped, what XML cannot hold is made visible") {
  CHECK(xml_text("a<b>&\"c\"\n\t") == "a&lt;b&gt;&amp;\"c\"\n\t");
  CHECK(xml_attribute("\"a\"\n\t<") == "&quot;a&quot;&#10;&#9;&lt;");
  CHECK(xml_text("\x1b[0m\0\xff"s) == "\\x1b[0m\\x00\\xff");
  CHECK(xml_text("\xEF\xBF\xBE|\xEF\xBF\xBF|\xEF\xBF\xBD") ==
        "\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD");
  CHECK(xml_text("]]>") == "]]&gt;");
}

TEST_CASE("Failure details: the place is the first that a traceback's line begins with") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"a/b.cc:12: Failure\nx\n", "a/b.cc 12"},
      {"Failure\nb.cc:1:2: error\n", "b.cc 1"},
      {"a dir/b.cpp(34): ERROR\n", "a dir/b.cpp 34"},
      {"C:/x/y.cc:7: Failure\n", "C:/x/y.cc 7"},
      {"b.cc:12", "b.cc 12"},
      {"b.cc:12 and more\n", ""},
      {"at 10:20:30: no file\n", ""},
      {"unknown file: Failure\n", ""},
      {std::string(5000, ':') + "a.cc:1:", ""},
      {"", ""},
  };
  for (const auto& [text, expected] : table) {
    CAPTURE(text);
    const auto place = place_of(report("t", TestStatus::fail, text));
    CHECK((place ? place->file + " " + place->line : "") == expected);
  }
}

TEST_CASE(
    "Failure details: the traceback first, then what else there is, and how much is missing") {
  auto made = with(with(report("t", TestStatus::fail), "stacks", "#0 f\n"), "stdout", "said\n");
  made.attachments.push_back({"traceback", "text/plain", "no", 10});
  CHECK(details_of(made) == "no\n(8 more bytes)\nstacks:\n#0 f\n");
  CHECK(output_of(made, "stdout", 100) == "said\n");
  CHECK(output_of(made, "stderr", 100).empty());
  made = with(report("t", TestStatus::fail), "stdout", "one\ntwo\nthree\n");
  CHECK(output_of(made, "stdout", 8) == "(the last 6 of 14 bytes)\nthree\n");
}

TEST_CASE("JUnit: a suite for each class, counts, and every kind of result") {
  auto lost = report("p.B.lost", TestStatus::fail, "the server died\n");
  lost.lost = true;
  Outcome outcome;
  outcome.elapsed = 1500ms;
  CHECK(junit({report("p.A.pass", TestStatus::success),
               with(report("p.B.fail", TestStatus::fail, "f.cc:1: <no>\n"), "stdout",
                    "out & about\n"),
               with(report("p.A.skip", TestStatus::skip), "reason", "not \"today\"\n"), lost,
               report("p.A.xfail", TestStatus::xfail), report("p.B.xpass", TestStatus::uxsuccess)},
              outcome) ==
        R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="hearth" tests="6" failures="2" errors="1" time="1.500000">
  <testsuite name="p.A" tests="3" failures="0" errors="0" skipped="2" time="0.036000" timestamp="2027-01-15T08:00:00Z">
    <testcase name="pass" classname="p.A" time="0.012000"/>
    <testcase name="skip" classname="p.A" time="0.012000">
      <skipped type="skip" message="not &quot;today&quot;"/>
    </testcase>
    <testcase name="xfail" classname="p.A" time="0.012000">
      <skipped type="xfail" message="failed, as expected"/>
    </testcase>
  </testsuite>
  <testsuite name="p.B" tests="3" failures="2" errors="1" skipped="0" time="0.036000" timestamp="2027-01-15T08:00:00Z">
    <testcase name="fail" classname="p.B" time="0.012000">
      <failure message="f.cc:1: &lt;no&gt;" type="fail">f.cc:1: &lt;no&gt;
</failure>
      <system-out>out &amp; about
</system-out>
    </testcase>
    <testcase name="lost" classname="p.B" time="0.012000">
      <error message="the server died" type="lost">the server died
</error>
    </testcase>
    <testcase name="xpass" classname="p.B" time="0.012000">
      <failure message="passed, but was expected to fail" type="uxsuccess"></failure>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST_CASE("JUnit: a flaky test has its failures, as flakyFailure; one case, no failure") {
  const auto text = junit(
      {attempt(report("p.A.t", TestStatus::fail, "one\n"), 1, true),
       attempt(with(report("p.A.t", TestStatus::fail, "two\n"), "stdout", "second\n"), 2, true),
       attempt(report("p.A.t", TestStatus::success), 3, false)});
  CHECK(has(text, R"(tests="1" failures="0" errors="0")"));
  CHECK(has(text, R"(    <testcase name="t" classname="p.A" time="0.012000">
      <flakyFailure message="one" type="fail"><stackTrace>one
</stackTrace>
      </flakyFailure>
      <flakyFailure message="two" type="fail"><stackTrace>two
</stackTrace>
      <system-out>second
</system-out>
      </flakyFailure>
    </testcase>
)"));
}

TEST_CASE(
    "JUnit: of a test that failed again and again the first is the failure, the others reruns") {
  const auto text = junit({attempt(report("p.A.t", TestStatus::fail, "one\n"), 1, true),
                           attempt(report("p.A.t", TestStatus::fail, "two\n"), 2, false)});
  CHECK(has(text, R"(tests="1" failures="1" errors="0")"));
  CHECK(has(text, R"(      <failure message="one" type="fail">one
</failure>
      <rerunFailure message="two" type="fail"><stackTrace>two
</stackTrace>
      </rerunFailure>
)"));
}

TEST_CASE("JUnit: what was not run is skipped; what would have run again has failed") {
  Outcome outcome;
  outcome.interrupted = true;
  outcome.missing = {"p.A.never", "p.A.again"};
  const auto text =
      junit({attempt(report("p.A.again", TestStatus::fail, "one\n"), 1, true)}, outcome);
  CHECK(has(text, R"(tests="2" failures="1" errors="0")"));
  CHECK(has(text,
            R"(<skipped type="missing" message="not run to its end: the run was interrupted"/>)"));
  CHECK(has(text, R"(<failure message="one" type="fail">one)"));
}

TEST_CASE("JUnit and TAP: a run of which it is not certain that it is whole is red") {
  Outcome outcome;
  outcome.doubts = {"the list of tests is not complete: <why>"};
  const auto xml = junit({report("p.A.passes", TestStatus::success)}, outcome);
  CHECK(has(xml, R"(tests="2" failures="0" errors="1")"));
  CHECK(has(xml, "the list of tests is not complete: &lt;why&gt;"));
  CHECK(tap({}, outcome) ==
        "TAP version 13\nBail out! the list of tests is not complete: <why>\n1..0\n");
}

TEST_CASE("JUnit: a run without results is a whole file") {
  CHECK(junit({}) ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"hearth\" tests=\"0\" "
        "failures=\"0\" errors=\"0\" time=\"0.000000\">\n</testsuites>\n");
}

TEST_CASE(
    "JUnit: the old file stays until the new one is whole, and nothing else is left beside it") {
  std::string folder = "/tmp/hearth-unit-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const auto path = folder + "/report.xml";
  std::ofstream(path) << "old";
  ReportOptions options;
  options.junit = path;
  {
    const auto reports = open_reports(options);
    REQUIRE(reports);
    reports->front()->on_result(report("a.b", TestStatus::success), {});
    std::string content;
    std::ifstream(path) >> content;
    CHECK(content == "old");
    CHECK(finish_reports(*reports).empty());
  }
  const auto files = std::filesystem::directory_iterator(folder);
  CHECK(std::distance(begin(files), end(files)) == 1);
  CHECK(std::filesystem::file_size(path) > 100);
  std::filesystem::remove_all(folder);
}

TEST_CASE("JUnit: a full disk is an error at the end, no folder one at once") {
  ReportOptions options;
  options.junit = "/dev/full";
  const auto reports = open_reports(options);
  REQUIRE(reports);
  reports->front()->on_result(report("a.b", TestStatus::success), {});
  const auto errors = finish_reports(*reports);
  REQUIRE(errors.size() == 1);
  CHECK(errors.front().text() == "write the results to /dev/full: No space left on device");
  options.junit = "/no/such/folder/file";
  const auto absent = open_reports(options);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().text() ==
        "write the results to /no/such/folder/file: No such file or directory");
  options.junit = "/tmp";
  CHECK_FALSE(open_reports(options));
}

TEST_CASE("JUnit: many tests of many classes, each in its suite, in the order of their ends") {
  std::vector<TestReport> results;
  for (int i = 0; i < 3000; ++i)
    results.push_back(
        with(report("p.S" + std::to_string(i % 7) + ".t" + std::to_string(i), TestStatus::success),
             "stdout", std::string(300, 'x')));
  const auto text = junit(results);
  std::size_t at = 0;
  for (int suite = 0; suite < 7; ++suite) {
    for (int i = suite; i < 3000; i += 7) {
      const auto found = text.find("<testcase name=\"t" + std::to_string(i) + "\" classname=\"p.S" +
                                       std::to_string(suite) + "\"",
                                   at);
      if (found == std::string::npos) FAIL(i);
      at = found;
    }
  }
}

TEST_CASE(
    "TAP: points with their diagnostics, directives for skips and expected failures, the plan") {
  auto lost = report("p.lost", TestStatus::fail, "the server died\n");
  lost.lost = true;
  CHECK(tap({report("p.pass", TestStatus::success),
             report("p.f#1 \\", TestStatus::fail, "f.cc:1: \"no\"\n  1\n"),
             with(report("p.skip", TestStatus::skip), "reason", "not # today\n"),
             report("p.xfail", TestStatus::xfail), report("p.xpass", TestStatus::uxsuccess), lost,
             attempt(report("p.flaky", TestStatus::fail, "x\n"), 1, true),
             attempt(report("p.flaky", TestStatus::success), 2, false)}) ==
        R"(TAP version 13
ok 1 - p.pass
  ---
  duration_ms: 12.000
  ...
not ok 2 - p.f\#1 \\
  ---
  message: "f.cc:1: \"no\" 1"
  severity: "fail"
  duration_ms: 12.000
  traceback: |
    f.cc:1: "no"
      1
  ...
ok 3 - p.skip # SKIP not \# today
  ---
  duration_ms: 12.000
  ...
not ok 4 - p.xfail # TODO expected to fail
  ---
  severity: "comment"
  duration_ms: 12.000
  ...
not ok 5 - p.xpass
  ---
  message: "passed, but was expected to fail"
  severity: "fail"
  duration_ms: 12.000
  ...
not ok 6 - p.lost
  ---
  message: "the server died"
  severity: "lost"
  duration_ms: 12.000
  traceback: |
    the server died
  ...
ok 7 - p.flaky
  ---
  severity: "comment"
  duration_ms: 12.000
  attempt: 2
  flaky: true
  ...
1..7
)");
}

TEST_CASE("TAP: an interrupted run bails out; one that had enough skips the rest") {
  Outcome outcome;
  outcome.missing = {"p.never"};
  outcome.stopped_early = true;
  CHECK(tap({}, outcome) ==
        "TAP version 13\nok 1 - p.never # SKIP not run: the run was stopped early\n1..1\n");
  outcome.interrupted = true;
  CHECK(tap({}, outcome) == "TAP version 13\nBail out! Interrupted\n1..0\n");
}

TEST_CASE("TAP: a line that readers take for a block's end, or for one outside, is in no block") {
  for (const char* line : {"", " ", "\t", "...", "  ... and more", "\u00a0"}) {
    CAPTURE(line);
    const auto text =
        tap({report("p", TestStatus::fail, "first\n" + std::string(line) + "\nlast\n")});
    CHECK_FALSE(has(text, "traceback: |"));
    CHECK(has(text, "  traceback: \"first\\n"));
  }
  CHECK(has(tap({report("p", TestStatus::fail, "first\nlast ...\n")}),
            "  traceback: |\n    first\n    last ...\n"));
}

TEST_CASE("TAP: text that a YAML block cannot hold is quoted") {
  CHECK(has(tap({report("p", TestStatus::fail, "  indented\nfirst\n")}),
            "  traceback: \"  indented\\nfirst\\n\"\n"));
}

TEST_CASE("JSON: a line for each event") {
  const ScratchFile scratch;
  ReportOptions options;
  options.json = scratch.path;
  const auto reports = open_reports(options);
  REQUIRE(reports);
  auto& json = *reports->front();
  const std::vector<std::string> ids{"a", "b"};
  RunInfo run;
  run.ids = &ids;
  run.all = true;
  run.workers = 2;
  run.started_at = noon + 5ns;
  json.on_begin(run);
  json.on_packet(1, test::status("a", TestStatus::inprogress, 1ms));
  json.on_packet(1, test::file("a", "stdout", "said\n"));
  json.on_packet(1, test::file("a", "stdout", "\xff\x00z"s));
  json.on_packet(1, test::file("a", "stdout", ""));
  json.on_packet(1, test::status("a", TestStatus::fail, 13ms));
  auto failed = attempt(report("a", TestStatus::fail, "no\n"), 2, true);
  failed.worker = 1;
  failed.expected = 10ms;
  json.on_result(failed, {});
  json.on_note("a \x1b note");
  Outcome outcome;
  outcome.counts = {2, 1, 0, 1};
  outcome.elapsed = 1500ms;
  outcome.cpu = 250ms;
  outcome.missing = {"b"};
  outcome.lost = "killed";
  json.on_end(outcome);
  CHECK(finish_reports(*reports).empty());
  CHECK(
      scratch.content() ==
      R"({"event":"begin","version":1,"time":"2027-01-15T08:00:00.000000005Z","tests":2,"all":true,"servers":2}
{"event":"started","id":"a","server":1,"time":"2027-01-15T08:00:00.001000000Z"}
{"event":"output","id":"a","server":1,"name":"stdout","mime_type":"text/plain;charset=utf8","text":"said\n"}
{"event":"output","id":"a","server":1,"name":"stdout","mime_type":"text/plain;charset=utf8","base64":"/wB6"}
{"event":"result","id":"a","server":1,"status":"fail","attempt":2,"will_retry":true,"started":"2027-01-15T08:00:00.000000000Z","time":"2027-01-15T08:00:00.012000000Z","duration":0.012,"expected_duration":0.01,"message":"no"}
{"event":"note","text":"a \\x1b note"}
{"event":"end","counts":{"expected":2,"done":1,"passed":0,"failed":1,"skipped":0,"xfailed":0,"flaky":0,"lost":0},"duration":1.5,"interrupted":false,"stopped_early":false,"missing":["b"],"cpu":0.25,"lost":"killed"}
)");
}

TEST_CASE("JSON: bytes that are no text, of every length, are base64") {
  const std::vector<std::pair<std::string, std::string>> table{{"\xff", "/w=="},
                                                               {"\xff\xfe", "//4="},
                                                               {"\xff\xfe\xfd", "//79"},
                                                               {"\xff\xfe\xfd"
                                                                "a",
                                                                "//79YQ=="}};
  for (const auto& [bytes, expected] : table) {
    const ScratchFile scratch;
    ReportOptions options;
    options.json = scratch.path;
    const auto reports = open_reports(options);
    REQUIRE(reports);
    reports->front()->on_packet(0, test::file("a", "stdout", bytes));
    CHECK(finish_reports(*reports).empty());
    CHECK(nlohmann::json::parse(scratch.content())["base64"] == expected);
  }
}

namespace {

struct Github {
  ScratchFile out;
  ScratchFile summary;

  void run(const std::vector<TestReport>& results, const Outcome& outcome) const {
    auto file = ReportFile::open(out.path);
    REQUIRE(file);
    GithubReport github(std::move(*file), {summary.path, "/repo"});
    for (const auto& result : results) github.on_result(result, {});
    github.on_end(outcome);
    CHECK(github.finish());
  }
};

}  // namespace

TEST_CASE("GitHub: a failure is an annotation at its line, escaped; a flaky test a warning") {
  const Github github;
  Outcome outcome;
  outcome.counts = {4, 4, 1, 2, 0, 0, 1};
  github.run({report("p.S.pass", TestStatus::success),
              report("p.S.a,b:c", TestStatus::fail, "/repo/src/f.cc:12: 100%\nwrong\n"),
              report("p.S.d", TestStatus::fail, "../../src/a,b.cc:3: no\n"),
              attempt(report("p.S.e", TestStatus::fail, "no\n"), 1, true),
              attempt(report("p.S.e", TestStatus::success), 2, false)},
             outcome);
  CHECK(github.out.content() ==
        "::error file=src/f.cc,line=12,title=p.S.a%2Cb%3Ac::/repo/src/f.cc:12: 100%25%0Awrong\n"
        "::error file=src/a%2Cb.cc,line=3,title=p.S.d::../../src/a,b.cc:3: no\n"
        "::warning title=p.S.e::Flaky: passed on attempt 2\n");
}

TEST_CASE("GitHub: the job's summary is added to, and has nothing that Markdown or HTML acts on") {
  const Github github;
  std::ofstream(github.summary.path) << "before\n";
  Outcome outcome;
  outcome.counts = {2, 2, 1, 1};
  outcome.elapsed = 2s;
  github.run({report("p.<b>", TestStatus::fail, "f.cc:1: </pre><script>\n")}, outcome);
  CHECK(github.summary.content() ==
        "before\n### Tests failed\n\n1 passed, 1 failed in 2.0 s\n\n#### Failed: 1\n\n"
        "<details><summary><code>p.&lt;b&gt;</code></summary>\n\n"
        "<pre>f.cc:1: &lt;/pre&gt;&lt;script&gt;\n</pre>\n</details>\n");
}

TEST_CASE("GitHub: of very many failures as many are written as GitHub can take") {
  const Github github;
  std::vector<TestReport> results;
  for (int i = 0; i < 2000; ++i)
    results.push_back(
        report("p.S.t" + std::to_string(i), TestStatus::fail, std::string(20'000, 'x') + "\n"));
  Outcome outcome;
  outcome.counts = {2000, 2000, 0, 2000};
  github.run(results, outcome);
  CHECK(github.summary.content().size() < 1'000'000);
  CHECK(has(github.summary.content(), "#### Failed: 2000"));
  const auto out = github.out.content();
  CHECK(std::count(out.begin(), out.end(), '\n') == 1000);
}

TEST_CASE("Reports: two cannot have the same file, nor both stdout") {
  const ScratchFile scratch;
  ReportOptions options;
  options.json = scratch.path;
  options.tap = scratch.path;
  const auto both = open_reports(options);
  REQUIRE_FALSE(both);
  CHECK(both.error().text() == "write --tap " + scratch.path +
                                   ": --json goes there, too; give each report a file of its own");
  options.json = "-";
  options.tap = "-";
  CHECK_FALSE(open_reports(options));
}
