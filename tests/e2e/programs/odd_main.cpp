// A program whose main() does not run its tests in the process that was started: with the argument
// "restart" it starts itself anew and waits; with "fork" a child runs them.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

TEST(Any, Passes) {}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "restarted") pause();
  if (what == "restart") {
    execl("/proc/self/exe", argv[0], "restarted", nullptr);
    return 1;
  }
  const pid_t child = what == "fork" ? fork() : 0;
  if (child == 0) return RUN_ALL_TESTS();
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}
