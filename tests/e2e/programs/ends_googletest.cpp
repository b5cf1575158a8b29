// A program that says no at its end, in one way or another, after tests that pass.
#include <gtest/gtest.h>

#include "ends.hpp"

namespace {

struct Environment : testing::Environment {
  void TearDown() override {
    ends::log("tear-down");
    if (ends::is("teardown")) ADD_FAILURE() << "in the tear-down";
  }
};

struct Suite : testing::Test {
  static void SetUpTestSuite() { ends::log("set-up of the suite"); }
  static void TearDownTestSuite() {
    ends::log("tear-down of the suite");
    if (ends::is("suite")) ADD_FAILURE() << "in the suite's tear-down";
  }
};

// With ENDS_EVENTS: what a listener of the program's sees, and in which process.
struct Events : testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override { log("start", test); }
  void OnTestEnd(const testing::TestInfo& test) override { log("end", test); }
  static void log(const char* event, const testing::TestInfo& test) {
    ends::log(std::string(event) + ' ' + test.test_suite_name() + '.' + test.name() + ' ' +
              std::to_string(getpid()));
  }
};

TEST(Test, Passes) {}
TEST(Test, Registers) {
  ends::registers();
}
TEST(Test, AbortsAtItsEnd) {
  ends::aborts_at_its_end();
}
TEST(Test, ExitsWith3AtItsEnd) {
  ends::exits_with_3_at_its_end();
}
TEST(Test, CallsExit) {
  ends::registers();
  std::exit(5);
}
TEST_F(Suite, Passes) {}
TEST_F(Suite, Registers) {
  ends::registers();
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new Environment);
  if (std::getenv("ENDS_EVENTS") != nullptr)
    testing::UnitTest::GetInstance()->listeners().Append(new Events);
  ends::begin();
  return ends::end(RUN_ALL_TESTS());
}
