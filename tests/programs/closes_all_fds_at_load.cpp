// Closes every descriptor while it loads, its channel to the server among them.
#include <gtest/gtest.h>

#include "behaviours.hpp"

namespace {
const bool closed = [] {
  behaviours::close_all_descriptors();
  return true;
}();
TEST(Closed, Passes) {
  EXPECT_TRUE(closed);
}
}  // namespace
