#include "server/stacks.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/support/temporary_folder.hpp"

using namespace hearth::server;
using namespace std::chrono_literals;
using hearth::test::TemporaryFolder;

TEST_CASE("Stacks: gdb's output without what it says besides") {
  const std::string output =
      "[New LWP 43]\n0x00007f in pause () from libc\n"
      "\nThread 2 (LWP 43):\n#0  one ()\n\nThread 1 (LWP 42):\n#0  two ()\n#1  main ()\n"
      "[Inferior 1 (process 42) detached]\n";
  CHECK(stacks_in(output) ==
        "Thread 2 (LWP 43):\n#0  one ()\n\nThread 1 (LWP 42):\n#0  two ()\n#1  main ()");
  CHECK(stacks_in(output.substr(0, output.find("[Inferior"))).starts_with("Thread 2"));
  for (const char* const nothing :
       {"", "ptrace: Operation not permitted.\n", "\nThread 1 (LWP 42):\n", "#0  one ()\n"}) {
    CHECK(stacks_in(nothing).empty());
  }
}

TEST_CASE("Stacks: what the kernel says of each thread") {
  const TemporaryFolder process;
  process.write("task/7/comm", "worker\n");
  process.write("task/7/status", "Name:\tworker\nState:\tS (sleeping)\nTgid:\t7\n");
  process.write("task/7/wchan", "futex_wait");
  CHECK(describe_threads(process.path()) ==
        "Thread 7 (worker): state S (sleeping), waits in the kernel for futex_wait\n");
  process.write("task/7/wchan", "0");
  CHECK(describe_threads(process.path()).find("for nothing\n") != std::string::npos);
  CHECK(describe_threads(process.path() / "nowhere").empty());
}

namespace {

std::string read_stacks(pid_t pid, Orphans& orphans) {
  const auto start = std::chrono::steady_clock::now();
  StackReader reader(pid, orphans, start);
  for (;;) {
    if (const auto text = reader.poll(std::chrono::steady_clock::now())) return *text;
    sched_yield();
  }
}

}  // namespace

TEST_CASE(
    "Stacks: without a debugger, after its time, or of a process that is gone, there is a text all "
    "the same") {
  const std::string path = getenv("PATH");
  Orphans orphans;
  setenv("PATH", "/nowhere", 1);
  CHECK(read_stacks(getpid(), orphans).find("takes a gdb") != std::string::npos);
  setenv("PATH", path.c_str(), 1);

  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  CHECK_FALSE(read_stacks(child, orphans).empty());
  const auto now = std::chrono::steady_clock::now();
  StackReader late(child, orphans, now);
  CHECK(late.poll(now + 60s));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK(read_stacks(child, orphans).find("takes a gdb") != std::string::npos);
}
