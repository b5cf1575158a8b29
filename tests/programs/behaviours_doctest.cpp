// Test cases that end in every way a test case can. README.md says what becomes of each.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "behaviours.hpp"

TEST_SUITE("verdict") {
  TEST_CASE("passes") {
    CHECK(1 + 1 == 2);
  }
  TEST_CASE("has no assertion") {}
  TEST_CASE("fails with values") {
    const int three = 3;
    INFO("the context is ", three);
    CHECK(three == 4);
  }
  TEST_CASE("fails twice") {
    CHECK(1 == 2);
    CHECK_MESSAGE(3 == 4, "the message");
  }
  TEST_CASE("stops at require") {
    REQUIRE(1 == 2);
    CHECK_MESSAGE(false, "never reached");
  }
  TEST_CASE("fails on demand") {
    FAIL("on demand");
  }
  TEST_CASE("throws") {
    throw std::runtime_error("thrown on purpose");
  }
  TEST_CASE("throws no exception") {
    throw 7;
  }
  TEST_CASE("only warns") {
    WARN(1 == 2);
  }
  TEST_CASE("has a message") {
    MESSAGE("for information");
  }
  TEST_CASE("does not throw what it should") {
    CHECK_THROWS_AS(static_cast<void>(0), std::runtime_error);
  }
}

TEST_SUITE("decorated") {
  TEST_CASE("skipped, passes" * doctest::skip()) {
    CHECK(true);
  }
  TEST_CASE("skipped, fails" * doctest::skip()) {
    CHECK(false);
  }
  TEST_CASE("should fail and does" * doctest::should_fail()) {
    CHECK(1 == 2);
  }
  TEST_CASE("should fail and throws" * doctest::should_fail()) {
    throw std::runtime_error("as it should");
  }
  TEST_CASE("should fail and passes" * doctest::should_fail()) {
    CHECK(1 == 1);
  }
  TEST_CASE("may fail and does" * doctest::may_fail()) {
    CHECK(1 == 2);
  }
  TEST_CASE("may fail and passes" * doctest::may_fail()) {
    CHECK(1 == 1);
  }
  TEST_CASE("expects two failures, has two" * doctest::expected_failures(2)) {
    CHECK(1 == 2);
    CHECK(3 == 4);
  }
  TEST_CASE("expects two failures, has one" * doctest::expected_failures(2)) {
    CHECK(1 == 2);
  }
  TEST_CASE("slower than its time-out" * doctest::timeout(0.01)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  TEST_CASE("faster than its time-out" * doctest::timeout(60)) {
    CHECK(true);
  }
  TEST_CASE("fails without output" * doctest::no_output()) {
    CHECK(1 == 2);
  }
}

TEST_SUITE("subcases") {
  TEST_CASE("all pass") {
    std::vector<int> numbers(5);
    SUBCASE("bigger") {
      numbers.resize(10);
      CHECK(numbers.size() == 10);
    }
    SUBCASE("smaller") {
      numbers.resize(0);
      CHECK(numbers.empty());
      SUBCASE("nested") {
        CHECK(numbers.capacity() == 5);
      }
    }
  }
  TEST_CASE("the second fails") {
    SUBCASE("first") {
      CHECK(true);
    }
    SUBCASE("second") {
      CHECK_MESSAGE(false, "in the second");
    }
    SUBCASE("third") {
      CHECK(true);
    }
  }
  SCENARIO("told as a story") {
    GIVEN("a number") {
      const int number = 1;
      WHEN("it is doubled") {
        THEN("it is two") {
          CHECK(number * 2 == 2);
        }
      }
    }
  }
}

TEST_CASE("equal name") {
  CHECK(true);
}
TEST_CASE("equal name") {
  CHECK_MESSAGE(false, "the second of its name");
}
TEST_CASE("") {
  CHECK(true);
}
TEST_CASE("\u00fcml\u00e4ut, tab\tand\nnewline") {
  CHECK(true);
}
TEST_CASE_TEMPLATE("fits four bytes", T, char, int, double) {
  CHECK(sizeof(T) <= 4);
}

struct Fixture {
  int value = 7;
  ~Fixture() { std::puts("fixture destroyed"); }
};
TEST_CASE_FIXTURE(Fixture, "has a fixture") {
  CHECK(value == 7);
}

TEST_SUITE("end") {
  TEST_CASE("aborts") {
    std::abort();
  }
  TEST_CASE("aborts after failure") {
    CHECK_MESSAGE(1 == 2, "before the end");
    std::abort();
  }
  TEST_CASE("segfaults") {
    volatile int* const nowhere = nullptr;
    *nowhere = 1;
  }
  TEST_CASE("kills itself") {
    raise(SIGKILL);
  }
  TEST_CASE("leaves with status 0") {
    _exit(0);
  }
  TEST_CASE("leaves with status 0 after failure") {
    CHECK_MESSAGE(1 == 2, "before the end");
    _exit(0);
  }
  TEST_CASE("exits with status 0") {
    std::exit(0);
  }
  TEST_CASE("loops forever") {
    behaviours::loop_forever();
  }
}

TEST_SUITE("process") {
  TEST_CASE("prints") {
    std::puts("to stdout");
    std::fputs("to stderr\n", stderr);
  }
  TEST_CASE("prints 100 megabytes") {
    behaviours::flood(1);
  }
  TEST_CASE("prints packets") {
    behaviours::write_all(1, behaviours::forged_packets);
  }
  TEST_CASE("leaves child") {
    CHECK(behaviours::leave_child() > 0);
  }
  TEST_CASE("fork returns from the test") {
    if (fork() != 0) wait(nullptr);
  }
  TEST_CASE("fork fails and returns") {
    if (fork() == 0) {
      CHECK_MESSAGE(false, "in the fork");
    } else {
      wait(nullptr);
    }
  }
  TEST_CASE("fails in threads") {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([] { CHECK_MESSAGE(false, "in a thread"); });
    for (auto& thread : threads) thread.join();
  }
  TEST_CASE("changes a global") {
    static int counter = 0;
    CHECK(++counter == 1);
    setenv("BEHAVIOURS", "changed", 1);
  }
  TEST_CASE("sees no change") {
    CHECK(getenv("BEHAVIOURS") == nullptr);
  }
}

// A listener of the program's own is called as ever; what it sets up is there once, before the
// tests.
namespace {
int runs_started = 0;
struct Listener : doctest::IReporter {
  explicit Listener(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override { ++runs_started; }
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData& test) override { name = test.m_name; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    if (name == "is heard by a listener") std::printf("heard the end of: %s\n", name.c_str());
  }
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
  std::string name;
};
}  // namespace
REGISTER_LISTENER("behaviours", 1, Listener);
TEST_CASE("is heard by a listener") {
  CHECK(runs_started == 1);
}
