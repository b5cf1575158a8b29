#include "client/run/witness.hpp"

#include <algorithm>

namespace hearth::client {
namespace {

using Tests = std::vector<std::string>;

Tests part_of(const Tests& tests, std::size_t part, std::size_t parts) {
  const auto at = [&](std::size_t n) {
    return tests.begin() + static_cast<std::ptrdiff_t>(tests.size() * n / parts);
  };
  return {at(part), at(part + 1)};
}

Tests without_part(const Tests& tests, std::size_t part, std::size_t parts) {
  const auto at = [&](std::size_t n) {
    return tests.begin() + static_cast<std::ptrdiff_t>(tests.size() * n / parts);
  };
  Tests rest(tests.begin(), at(part));
  rest.insert(rest.end(), at(part + 1), tests.end());
  return rest;
}

enum class Found : std::uint8_t { nothing, part, rest, stopped };

// Replaces `tests` by one of its parts, or by all but one of them, where that still makes the test
// fail.
Found reduce(Tests& tests, std::size_t parts, const Question& fails_after) {
  for (const bool whole_part : {true, false}) {
    if (!whole_part && parts == 2) break;  // the rest is the other part
    for (std::size_t n = 0; n < parts; ++n) {
      // What ran last is the likeliest.
      const auto part = parts - 1 - n;
      auto candidate = whole_part ? part_of(tests, part, parts) : without_part(tests, part, parts);
      const auto fails = fails_after(candidate);
      if (!fails) return Found::stopped;
      if (!*fails) continue;
      tests = std::move(candidate);
      return whole_part ? Found::part : Found::rest;
    }
  }
  return Found::nothing;
}

}  // namespace

std::optional<Tests> smallest_witness(Tests earlier, const Question& fails_after) {
  std::size_t parts = 2;
  while (earlier.size() > 1) {
    parts = std::min(parts, earlier.size());
    switch (reduce(earlier, parts, fails_after)) {
      case Found::stopped:
        return std::nullopt;
      case Found::part:
        parts = 2;
        break;
      case Found::rest:
        parts = std::max<std::size_t>(parts - 1, 2);
        break;
      case Found::nothing:
        if (parts == earlier.size()) return earlier;
        parts = std::min(parts * 2, earlier.size());
    }
  }
  return earlier;
}

}  // namespace hearth::client
