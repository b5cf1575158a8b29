// The verdicts of a program's tests through Hearth beside those of the program by itself. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::client {

using Verdicts = std::map<std::string, protocol::TestStatus>;    // by test id
using ExpectedDifferences = std::map<std::string, std::string>;  // id: the reason

struct Difference {
  std::string id;
  std::optional<protocol::TestStatus> hearth;  // absent: no such test there
  std::optional<protocol::TestStatus> plain;
};

struct Comparison {
  std::size_t same = 0;
  std::vector<Difference> unexpected;
  std::vector<Difference> expected;
  std::vector<std::string> stale;  // ids that were expected to differ, and do not
};

[[nodiscard]] Comparison compare(const Verdicts& hearth, const Verdicts& plain,
                                 const ExpectedDifferences& expected);

// "fail through Hearth, success by itself".
[[nodiscard]] std::string difference_text(const Difference& difference);
[[nodiscard]] std::string comparison_text(const Comparison& comparison,
                                          const ExpectedDifferences& expected);

// Lines `ID -- REASON`; empty lines and lines that begin with # are skipped.
[[nodiscard]] Expected<ExpectedDifferences> parse_expected(std::string_view text,
                                                           const std::string& file_name);
// Lines `ID STATUS`, status as subunit names it (success, fail, skip, xfail, uxsuccess).
[[nodiscard]] Expected<Verdicts> parse_plain_results(std::string_view text,
                                                     const std::string& file_name);

}  // namespace hearth::client
