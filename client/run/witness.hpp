// The fewest earlier tests that make a test fail: delta debugging (Zeller and Hildebrandt,
// "Simplifying and Isolating Failure-Inducing Input", 2002, algorithm ddmin). Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hearth::client {

// `fails_after(tests)`: does the test fail when these ran before it, in this order? nullopt: stop,
// nobody wants to know any more. `earlier` is known to make it fail.
//
// The result makes it fail, and without any single one of its tests it does not. With one culprit
// that takes about 2 log2(earlier.size()) questions. nullopt: it was stopped.
using Question = std::function<std::optional<bool>(const std::vector<std::string>& tests)>;
[[nodiscard]] std::optional<std::vector<std::string>> smallest_witness(
    std::vector<std::string> earlier, const Question& fails_after);

}  // namespace hearth::client
