// Test cases that see whether others ran before them in their process.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "sequence.hpp"

namespace {
using namespace sequence;

// The program's own listener sees one run, however its tests are run.
struct Listener : doctest::IReporter {
  explicit Listener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override { ++runs; }
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override { ++cases; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
  static int runs;
  static int cases;
};
int Listener::runs = 0;
int Listener::cases = 0;
REGISTER_LISTENER("mine", 1, Listener);

TEST_SUITE("State") {
  TEST_CASE("First") {
    here();
    first_has_run = true;
  }
  TEST_CASE("Second") {
    here();
    CHECK_FALSE(first_has_run);
  }
  TEST_CASE("Third") {
    here();
  }
  TEST_CASE("Fails") {
    here();
    FAIL("on purpose");
  }
  TEST_CASE("Subcases") {
    here();
    SUBCASE("one") {}
    SUBCASE("two") {
      CHECK(1 == 2);
    }
    SUBCASE("three") {}
  }
  TEST_CASE("Listener") {
    here();
    CHECK(Listener::runs == 1);
    CHECK(Listener::cases == tests_run);
  }
}

TEST_SUITE("End") {
  TEST_CASE("Aborts") {
    here();
    std::fflush(stdout);
    std::abort();
  }
  TEST_CASE("Exits") {
    std::exit(0);
  }
  TEST_CASE("Hangs") {
    hang();
  }
}
}  // namespace
