// Tests that only take time: what a client uses while they run is what it uses to show that they
// do.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace {

class Sleepers : public testing::TestWithParam<int> {};
TEST_P(Sleepers, Sleep) {
  std::this_thread::sleep_for(std::chrono::seconds(5));
}
INSTANTIATE_TEST_SUITE_P(All, Sleepers, testing::Range(0, 32));

}  // namespace
