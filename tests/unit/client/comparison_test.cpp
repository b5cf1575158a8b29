#include "client/compare/comparison.hpp"

#include <doctest/doctest.h>

#include "client/compare/plain_program.hpp"

using namespace hearth::client;
using hearth::protocol::TestStatus;

namespace {

std::vector<std::string> ids(const std::vector<Difference>& differences) {
  std::vector<std::string> all;
  for (const auto& difference : differences) all.push_back(difference.id);
  return all;
}
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("Comparison: same, different, there on one side only, expected and stale") {
  const Verdicts hearth{{"same", TestStatus::success},
                        {"differs", TestStatus::fail},
                        {"known", TestStatus::fail},
                        {"ours", TestStatus::fail},
                        {"mended", TestStatus::skip}};
  const Verdicts plain{{"same", TestStatus::success},
                       {"differs", TestStatus::success},
                       {"known", TestStatus::success},
                       {"theirs", TestStatus::skip},
                       {"mended", TestStatus::skip}};
  const ExpectedDifferences expected{
      {"known", "needs the test before it"}, {"mended", "was broken"}, {"gone", "no such test"}};
  const auto result = compare(hearth, plain, expected);
  CHECK(result.same == 2);
  CHECK(ids(result.unexpected) == Ids{"differs", "ours", "theirs"});
  CHECK(ids(result.expected) == Ids{"known"});
  CHECK(result.stale == Ids{"gone", "mended"});
  CHECK(difference_text(result.unexpected[0]) == "fail through Hearth, success by itself");
  CHECK(difference_text(result.unexpected[1]) == "fail through Hearth, no such test by itself");
  CHECK(difference_text(result.unexpected[2]) == "no such test through Hearth, skip by itself");
  CHECK(comparison_text(result, expected) ==
        "Different, as expected:\n"
        "    known: fail through Hearth, success by itself (needs the test before it)\n"
        "Expected to differ, but the same (or no test at all):\n    gone\n    mended\n"
        "Different:\n"
        "    differs: fail through Hearth, success by itself\n"
        "    ours: fail through Hearth, no such test by itself\n"
        "    theirs: no such test through Hearth, skip by itself\n"
        "2 verdicts the same, 1 different as expected, 3 different\n");
}

TEST_CASE("Comparison: two empty sets are the same") {
  const auto result = compare({}, {}, {});
  CHECK(result.unexpected.empty());
  CHECK(comparison_text(result, {}) ==
        "0 verdicts the same, 0 different as expected, 0 different\n");
}

TEST_CASE("Comparison: an expected list has ids, blanks in them included, and reasons") {
  const auto expected = parse_expected(
      "# a comment\n\n  p.S.a -- because\np.a test case, -v -- one -- two \r\n", "list");
  REQUIRE(expected);
  CHECK(*expected ==
        ExpectedDifferences{{"p.S.a", "because"}, {"p.a test case, -v", "one -- two"}});
}

TEST_CASE("Comparison: a line without a reason, and an id twice, are refused by line") {
  const auto bare = parse_expected("p.S.a -- because\np.S.b\n", "list");
  REQUIRE_FALSE(bare);
  CHECK(bare.error().attempted == "read line 2 of list");
  CHECK_FALSE(parse_expected("a -- b\na -- c\n", "list"));
}

TEST_CASE("Comparison: plain results are ids and statuses") {
  const auto verdicts =
      parse_plain_results("p.S.a success\n# c\np.a test case \t xfail\np.S.c skip\n", "plain");
  REQUIRE(verdicts);
  CHECK(*verdicts == Verdicts{{"p.S.a", TestStatus::success},
                              {"p.a test case", TestStatus::xfail},
                              {"p.S.c", TestStatus::skip}});
  for (const char* bad : {"p.S.a", "p.S.a passed", "p.S.a exists", "a fail\na fail"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_plain_results(bad, "plain"));
  }
}

namespace {

// As waitpid() gives them.
constexpr int exited_3 = 3 << 8;
constexpr int exited_1 = 1 << 8;
constexpr int aborted = 6;

struct Ends {
  Verdicts hearth{{"p.A.b", TestStatus::success}};
  PlainRun plain{{Verdicts{{"p.A.b", TestStatus::success}}}, "GoogleTest", 0};
  ExpectedDifferences expected;

  std::vector<std::string> differences() {
    add_ends(hearth, plain, "p", expected);
    return ids(compare(hearth, plain.results.verdicts, expected).unexpected);
  }
};

}  // namespace

TEST_CASE("Comparison: how the program ends by itself is compared too") {
  CHECK(Ends().differences().empty());
  for (const int status : {exited_1, exited_3, aborted}) {
    CAPTURE(status);
    Ends green;
    green.plain.wait_status = status;
    CHECK(green.differences() == Ids{"p.exit"});
    Ends red;
    red.plain.wait_status = status;
    red.hearth["p.exit"] = TestStatus::fail;
    CHECK(red.differences().empty());
  }
  Ends ours;
  ours.hearth["p.exit"] = TestStatus::fail;
  CHECK(ours.differences() == Ids{"p.exit"});
  Ends outside;
  outside.plain.wait_status.reset();
  outside.plain.results.failed_outside = true;
  CHECK(outside.differences() == Ids{"p.exit"});
  Ends known;
  known.plain.wait_status = exited_3;
  known.expected["p.exit"] = "it always does";
  CHECK(known.differences().empty());
}

TEST_CASE("Comparison: a test that failed explains an exit status, and no abort after the tests") {
  Ends ends;
  ends.hearth["p.A.b"] = ends.plain.results.verdicts["p.A.b"] = TestStatus::fail;
  auto one = ends;
  one.plain.wait_status = exited_1;
  CHECK(one.differences().empty());
  auto both = one;
  both.hearth["p.exit"] = TestStatus::fail;
  CHECK(both.differences().empty());
  auto abort = ends;
  abort.plain.wait_status = aborted;
  CHECK(abort.differences() == Ids{"p.exit"});
  auto crash = ends;
  crash.plain.wait_status = aborted;
  crash.plain.results.complete = false;
  CHECK(crash.differences().empty());
}

TEST_CASE("Comparison: a suite's tear-down, which result files do not have") {
  Ends green;
  green.plain.results.failed_suites = {"A"};
  green.plain.wait_status = exited_1;
  auto told = green;
  CHECK(green.differences() == Ids{"p.A.teardown"});
  told.hearth["p.A.teardown"] = TestStatus::fail;
  CHECK(told.differences().empty());
}
