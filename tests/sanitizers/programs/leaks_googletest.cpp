// Tests that leak, or only seem to. With LEAKS_EARLY the program has leaked before its first test,
// with THREADS it cannot be forked.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "lose.hpp"

namespace {

#ifdef LEAKS_EARLY
const bool leaks_early = (lose(100), lose(44), true);
#endif

#ifdef THREADS
struct Waits {
  Waits() {
    std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
  }
};
const Waits waits;
#endif

std::unique_ptr<std::string> made_at_load(new std::string("longer than what fits inside of it"));

TEST(Leaks, Fine) {}
TEST(Leaks, Leaks) {
  lose(44);
}
TEST(Leaks, LeaksAndFails) {
  lose(45);
  EXPECT_TRUE(false);
}
TEST(Leaks, LeaksAndSkips) {
  lose(46);
  GTEST_SKIP() << "on purpose";
}
TEST(Leaks, Holds) {
  static int* held = nullptr;
  held = new int(7);
  EXPECT_EQ(*held, 7);
}
TEST(Leaks, FreesAtExit) {
  static std::unique_ptr<int> held;
  held.reset(new int(7));
}
TEST(Leaks, FreesAtThreadExit) {
  thread_local std::unique_ptr<int> held;
  held.reset(new int(7));
}
TEST(Leaks, LeaksAtExit) {
  static struct Last {
    bool used = false;
    ~Last() { lose(47); }
  } last;
  last.used = true;
}
TEST(Leaks, UsesWhatWasThere) {
  if (made_at_load != nullptr) EXPECT_EQ(made_at_load->size(), 34u);
}
TEST(Leaks, LosesWhatWasThere) {
  static_cast<void>(made_at_load.release());
}

class Suite : public testing::Test {
 protected:
  static void SetUpTestSuite() { s_shared = new std::string("another that does not fit inside"); }
  static void TearDownTestSuite() { delete s_shared; }
  static std::string* s_shared;
};
std::string* Suite::s_shared = nullptr;
TEST_F(Suite, UsesIt) {
  EXPECT_FALSE(s_shared->empty());
}
TEST_F(Suite, Leaks) {
  lose(48);
}

class SetUpLeaks : public testing::Test {
 protected:
  static void SetUpTestSuite() { lose(49); }
};
TEST_F(SetUpLeaks, Fine) {}
TEST_F(SetUpLeaks, FineToo) {}

}  // namespace
