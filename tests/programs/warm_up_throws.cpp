// A warm-up hook that throws: the program cannot be served, and says why.
#include <gtest/gtest.h>
#include <hearth/warm.hpp>

#include <stdexcept>

namespace {
const bool hooked = hearth::on_warm([] { throw std::runtime_error("no corpus to warm up with"); });
TEST(Warm, IsNeverServed) {
  EXPECT_TRUE(hooked);
}
}  // namespace
