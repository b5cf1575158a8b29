#include "client/run/witness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

using namespace hearth::client;
using Tests = std::vector<std::string>;

namespace {

Tests numbered(int count) {
  Tests tests;
  for (int i = 0; i < count; ++i) tests.push_back("t" + std::to_string(i));
  return tests;
}

// It fails when all of `culprits` ran before it, in their order.
struct Suspicion {
  Tests culprits;
  std::size_t asked = 0;

  std::optional<bool> operator()(const Tests& tests) {
    ++asked;
    auto at = tests.begin();
    for (const auto& culprit : culprits) {
      at = std::find(at, tests.end(), culprit);
      if (at == tests.end()) return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("Witness: the culprits, no more, in their order, wherever they are") {
  for (const int count : {1, 2, 3, 7, 64, 1000}) {
    const auto tests = numbered(count);
    for (const auto& places : std::vector<std::vector<int>>{
             {0}, {count - 1}, {count / 2}, {0, count - 1}, {0, count / 2, count - 1}}) {
      Suspicion suspicion;
      for (const int place : places)
        if (suspicion.culprits.empty() ||
            suspicion.culprits.back() != tests[static_cast<std::size_t>(place)])
          suspicion.culprits.push_back(tests[static_cast<std::size_t>(place)]);
      const auto witness = smallest_witness(tests, std::ref(suspicion));
      REQUIRE(witness);
      CHECK(*witness == suspicion.culprits);
    }
  }
}

TEST_CASE("Witness: one culprit among a million takes few questions") {
  Suspicion suspicion{{"t123456"}};
  const auto witness = smallest_witness(numbered(1'000'000), std::ref(suspicion));
  REQUIRE(witness);
  CHECK(*witness == suspicion.culprits);
  CHECK(suspicion.asked <= 40);
}

TEST_CASE("Witness: where nobody wants to know any more, there is none") {
  int asked = 0;
  const auto witness = smallest_witness(numbered(100), [&](const Tests&) -> std::optional<bool> {
    if (++asked == 3) return std::nullopt;
    return false;
  });
  CHECK_FALSE(witness);
  CHECK(asked == 3);
}
