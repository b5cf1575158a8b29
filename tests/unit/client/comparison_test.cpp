#include "client/compare/comparison.hpp"

#include <doctest/doctest.h>

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
