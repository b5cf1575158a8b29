// The global tear-down fails, after tests that pass.
#include <gtest/gtest.h>

namespace {
class Environment : public testing::Environment {
  void TearDown() override { ADD_FAILURE() << "in the environment's TearDown"; }
};
const auto* const environment = testing::AddGlobalTestEnvironment(new Environment);
TEST(TearDown, Passes) {
  SUCCEED();
}
}  // namespace
