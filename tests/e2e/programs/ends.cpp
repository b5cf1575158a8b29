// A program that ends badly after its tests, in the way that its argument says, and well once there
// is a file "well" in $FAULTS_DIR. Its main knows no flags of GoogleTest's.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

std::string way;

bool is_bad(const char* this_way) {
  const char* const folder = std::getenv("FAULTS_DIR");
  const bool well = folder != nullptr && access((std::string(folder) + "/well").c_str(), F_OK) == 0;
  return way == this_way && !well;
}

struct Environment : testing::Environment {
  void TearDown() override {
    if (is_bad("environment")) ADD_FAILURE() << "left something behind";
  }
};

struct Suite : testing::Test {
  static void TearDownTestSuite() {
    if (is_bad("suite")) ADD_FAILURE() << "left something in the suite";
  }
};

}  // namespace

TEST(Ends, Passes) {}
TEST(Ends, MayFail) {
  if (way == "fails") ADD_FAILURE() << "on purpose";
}
TEST_F(Suite, Passes) {}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-') {
      std::fprintf(stderr, "ERROR: unknown command line flag '%s'\n", argv[i]);
      return 1;
    }
    way = argv[i];
  }
  if (is_bad("load")) return 5;
  argc = 1;
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new Environment);
  const int result = RUN_ALL_TESTS();
  if (is_bad("abort")) std::abort();
  if (is_bad("exit")) return 3;
  if (is_bad("pipe")) return std::signal(SIGPIPE, SIG_DFL) == SIG_DFL ? result : 6;
  // By itself alone: it has been asked for GoogleTest's results.
  if (is_bad("differs") && std::getenv("GTEST_OUTPUT") != nullptr) return 4;
  return result;
}
