// A program that prints outside its tests, and whose tests print by descriptors that it has kept:
// to stdout, in the order of their lines here, to stderr if they say so.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

// As loggers and valgrind do, while the program starts.
const int kept_err = dup(2);
const int kept_out = fcntl(1, F_DUPFD_CLOEXEC, 100);
FILE* const log_file = fdopen(dup(1), "w");

// A process of the program's own, which says what it is told to.
int tell_helper[2];
int helper_is_done[2];
const bool helped = [] {
  if (std::getenv("SPEAKS_HELPED") == nullptr) return false;
  if (pipe2(tell_helper, O_CLOEXEC) != 0 || pipe2(helper_is_done, O_CLOEXEC) != 0) std::abort();
  if (fork() != 0) return true;
  close(tell_helper[1]);
  char byte = 0;
  while (read(tell_helper[0], &byte, 1) == 1) {
    dprintf(2, "the helper was told %c\n", byte);
    if (write(helper_is_done[1], &byte, 1) != 1) break;
  }
  _exit(0);
}();

const bool threads = [] {
  if (std::getenv("SPEAKS_THREADS") == nullptr) return false;
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        for (;;) pause();
      },
      nullptr);
  return true;
}();

class Prints : public testing::Environment {
  void SetUp() override { std::printf("random seed: 12345\n"); }
  void TearDown() override { std::printf("torn down\n"); }
};
const auto* const prints = testing::AddGlobalTestEnvironment(new Prints);

void say_everywhere() {
  dprintf(kept_out, "by the kept stdout\n");
  std::fputs("by the log\n", log_file);
  std::fflush(log_file);
  dprintf(kept_err, "by the kept stderr\n");
  const std::string command = "echo by a child >&" + std::to_string(kept_err);
  if (std::system(command.c_str()) != 0) std::abort();
}

}  // namespace

TEST(Kept, Passes) {
  EXPECT_NE(fcntl(kept_out, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(fcntl(kept_err, F_GETFD) & FD_CLOEXEC, 0);
  say_everywhere();
}

TEST(Kept, Fails) {
  say_everywhere();
  ADD_FAILURE();
}

TEST(Kept, IsHelped) {
  if (!helped) GTEST_SKIP() << "without a helper";
  char byte = 'a';
  ASSERT_EQ(write(tell_helper[1], &byte, 1), 1);
  ASSERT_EQ(read(helper_is_done[0], &byte, 1), 1);
}

class SetUpSpeaks : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    m_kept = dup(1);
    std::printf("the suite was prepared\n");
  }
  static int m_kept;
};
int SetUpSpeaks::m_kept = -1;

TEST_F(SetUpSpeaks, Passes) {
  say_everywhere();
  dprintf(m_kept, "by the suite's\n");
}

TEST_F(SetUpSpeaks, Fails) {
  say_everywhere();
  dprintf(m_kept, "by the suite's\n");
  ADD_FAILURE();
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::fputs("main has begun\n", stderr);
  const int status = RUN_ALL_TESTS();
  std::puts("main ends");
  return status;
}
