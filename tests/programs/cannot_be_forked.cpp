// Has memory that a fork does not get, as drivers of network cards and GPUs do. With SAYS_SO in the
// environment it says that it is not to be forked.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <hearth/warm.hpp>

#include <cstdlib>

namespace {

const bool said =
    std::getenv("SAYS_SO") != nullptr && hearth::never_fork("it has memory of a device");

char* const pinned = [] {
  void* const memory =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, 4096, MADV_DONTFORK);
  auto* const bytes = static_cast<char*>(memory);
  *bytes = 7;
  return bytes;
}();

}  // namespace

TEST(Memory, IsThere) {
  EXPECT_EQ(*pinned, 7);
}

class SetUpMemory : public testing::Test {
 protected:
  static void SetUpTestSuite() { EXPECT_EQ(*pinned, 7); }
};
TEST_F(SetUpMemory, IsThere) {
  EXPECT_EQ(*pinned, 7);
}
