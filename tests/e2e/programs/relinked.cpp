// One program in two builds, which the tests of stale_test.py put in each other's place:
// RELINKED_BUILD is "one" or "two".
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "meeting.hpp"

namespace {

// What the library $RELINKED_LIBRARY says; its own build's name where there is none.
std::string advice = RELINKED_BUILD;

const bool loaded = [] {
  if (std::getenv("RELINKED_GATE") != nullptr) {
    tell("loads", RELINKED_BUILD);
    pass_gate("load");
  }
  if (std::getenv("RELINKED_THREAD") != nullptr) std::thread([] { pause(); }).detach();
  if (const char* const library = std::getenv("RELINKED_LIBRARY")) {
    void* const opened = dlopen(library, RTLD_NOW);
    if (opened == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      std::exit(1);
    }
    advice = reinterpret_cast<const char* (*)()>(dlsym(opened, "advice"))();
  }
  return true;
}();

class NeedsFile : public testing::Environment {
  void SetUp() override {
    const char* const file = std::getenv("RELINKED_NEEDS");
    if (file != nullptr && access(file, R_OK) != 0) FAIL() << "there is no " << file;
  }
};
const auto* const needs_file = testing::AddGlobalTestEnvironment(new NeedsFile);

TEST(Build, Says) {
  std::printf("%s\n", advice.c_str());
}
TEST(Build, IsOne) {
  EXPECT_EQ(advice, "one");
}
TEST(Build, Waits) {
  tell("waits", std::string("begin ") + RELINKED_BUILD);
  pass_gate("wait");
  tell("waits", std::string("end ") + RELINKED_BUILD);
  EXPECT_STREQ(RELINKED_BUILD, "one");
}
#ifdef RELINKED_TWO
TEST(OnlyIn, Two) {}
#else
TEST(OnlyIn, One) {}
#endif

}  // namespace
