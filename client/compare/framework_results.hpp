// Reads the result files that frameworks write, into verdicts by the ids that Hearth gives the
// tests. Pure.
#pragma once

#include <string>
#include <string_view>

#include "client/compare/comparison.hpp"

namespace hearth::client {

// What GoogleTest writes for --gtest_output=json:FILE. Tests that did not run are left out.
[[nodiscard]] Expected<Verdicts> parse_googletest_json(std::string_view text,
                                                       const std::string& program);

// What doctest writes for --reporters=xml --out=FILE. Test cases that were skipped are left out. A
// document that ends early (the program crashed) gives the verdicts up to there; the test case in
// which it ends is a fail.
[[nodiscard]] Expected<Verdicts> parse_doctest_xml(std::string_view text,
                                                   const std::string& program);

}  // namespace hearth::client
