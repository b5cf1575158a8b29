#include "process/fork_exec.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "process/wait_status.hpp"

using namespace hearth::process;
using hearth::FdPair;

namespace {

Forked start(
    const std::vector<std::string>& words, const std::function<void()>& first = [] {}) {
  const auto list = exec_list(words);
  return fork_exec([&] {
    first();
    execvp(list[0], list.data());
  });
}

int status_of(pid_t pid) {
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return status;
}

}  // namespace

TEST_CASE("Fork and exec: the program runs, with no signal blocked or ignored") {
  sigset_t usual;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &usual);
  const auto ignored = signal(SIGHUP, SIG_IGN);
  for (const int number : {SIGTERM, SIGHUP}) {
    const auto [pid, error] =
        start({"sh", "-c", "kill -" + std::to_string(number) + " $$; exit 3"});
    REQUIRE(error == 0);
    CHECK(exit_status(status_of(pid)) == 128 + number);
  }
  signal(SIGHUP, ignored);
  sigprocmask(SIG_SETMASK, &usual, nullptr);
}

TEST_CASE("Fork and exec: what went wrong is known here, and no child is left") {
  const auto missing = start({"/nowhere/program"});
  CHECK(missing.pid == -1);
  CHECK(missing.error == ENOENT);
  CHECK(start({"/"}).error == EACCES);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("Fork and exec: the child has the descriptors up to `top` to itself") {
  for (int top = 2; top < 12; ++top) {
    const auto [pid, error] = fork_exec(
        [top] {
          for (int fd = 3; fd <= top; ++fd)
            dup2(1, fd);  // the report of what goes wrong is out of the way
          execl("/nowhere", "/nowhere", nullptr);
        },
        top);
    CHECK(pid == -1);
    CHECK(error == ENOENT);
  }
}

TEST_CASE("Pipe: closed in a program that is started") {
  FdPair pipe;
  REQUIRE(make_pipe(pipe));
  const std::string number = std::to_string(pipe.theirs.get());
  const auto [pid, error] = start({"sh", "-c", "test -e /proc/self/fd/" + number});
  REQUIRE(error == 0);
  CHECK(exit_status(status_of(pid)) == 1);
}

TEST_CASE("Wait status: in words, and as a shell has it") {
  CHECK(describe_wait_status(3 << 8) == "exited with status 3");
  CHECK(describe_wait_status(SIGKILL) == "was killed by signal 9 (SIGKILL)");
  CHECK(describe_wait_status(SIGQUIT | 0x80) == "was killed by signal 3 (SIGQUIT), core dumped");
  CHECK(describe_wait_status(63).rfind("was killed by signal 63", 0) == 0);
  CHECK(exit_status(3 << 8) == 3);
  CHECK(exit_status(SIGKILL) == 137);
}
