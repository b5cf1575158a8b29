// The global set-up fails: no test runs, and each is a failure with that cause.
#include <gtest/gtest.h>

namespace {
class Environment : public testing::Environment {
  void SetUp() override { FAIL() << "in the environment's SetUp"; }
};
const auto* const environment = testing::AddGlobalTestEnvironment(new Environment);
TEST(SetUp, NeverRuns) {
  std::puts("the body ran");
}
TEST(SetUp, NeverRunsEither) {
  std::puts("the body ran");
}
}  // namespace
