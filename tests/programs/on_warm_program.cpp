// Warms up once: the hooks run before the tests are forked, in their order, and never by hand.
#include <gtest/gtest.h>
#include <unistd.h>
#include <hearth/warm.hpp>

#include <string>

namespace {
std::string warmth;
int warmed_by = 0;

const bool first = hearth::on_warm([] {
  warmth += "first ";
  warmed_by = static_cast<int>(getpid());
});
const bool second = hearth::on_warm([] { warmth += "second"; });

TEST(Warm, IsWarm) {
  RecordProperty("warmed_by", warmed_by);
  EXPECT_TRUE(first && second);
  EXPECT_EQ("first second", warmth);
  warmth = "used";
}
TEST(Warm, IsWarmAgain) {
  RecordProperty("warmed_by", warmed_by);
  EXPECT_EQ("first second", warmth);
  warmth = "used";
}
}  // namespace
