// Tests that load an instrumented library.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "code.hpp"

class World : public testing::Environment {
 public:
  void SetUp() override {
    start_thread_if_asked();
    work(200);
  }
};
testing::Environment* const world = testing::AddGlobalTestEnvironment(new World);

int plugged(bool close) {
  void* const plugin = dlopen(PLUGIN, RTLD_NOW);
  const auto plug = reinterpret_cast<int (*)(int)>(dlsym(plugin, "plug"));
  const int result = plug(10);
  if (close) dlclose(plugin);
  return result;
}

TEST(Plugin, IsLeft) {
  EXPECT_EQ(plugged(false), 45);
}

TEST(Plugin, IsUnloaded) {
  EXPECT_EQ(plugged(true), 45);
}
