// Reads the result files that frameworks write, and what they print, into verdicts by the ids that
// Hearth gives the tests. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/compare/comparison.hpp"

namespace hearth::client {

// What a program by itself said of its tests.
struct PlainResults {
  Verdicts verdicts;
  std::vector<std::string> failed_suites = {};  // whose set-up or tear-down failed, as it says
  bool failed_outside = false;  // something that belongs to no suite: an environment's tear-down
  bool complete = true;         // false: it ended in the middle of its tests
};

// What GoogleTest writes for --gtest_output=json:FILE. Tests that did not run are left out. Equal
// names are told apart as a server does.
[[nodiscard]] Expected<PlainResults> parse_googletest_json(std::string_view text,
                                                           const std::string& program);

// What GoogleTest prints. nullopt: it printed nothing. Of several iterations of a test, the failed
// one counts.
[[nodiscard]] std::optional<PlainResults> parse_googletest_text(std::string_view text,
                                                                const std::string& program);

// What doctest writes for --reporters=xml --out=FILE. Test cases that were skipped are left out. A
// document that ends early (the program crashed) gives the verdicts up to there; the test case in
// which it ends is a fail.
[[nodiscard]] Expected<PlainResults> parse_doctest_xml(std::string_view text,
                                                       const std::string& program);

// What CppUnit's outputters print, and its BriefTestProgressListener, which alone names tests that
// pass. `listed`: the ids of all tests. nullopt: CppUnit printed no summary, or what it says does
// not tell the tests apart.
[[nodiscard]] std::optional<PlainResults> parse_cppunit_text(
    std::string_view text, const std::string& program, const std::vector<std::string>& listed);

}  // namespace hearth::client
