#include "process/keeper.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

using hearth::process::run_kept;

namespace {

[[noreturn]] void wait_forever() {
  for (;;) pause();
}

// A child without doctest's handlers, and without what it has still to print.
pid_t fork_plain() {
  std::fflush(nullptr);
  std::cout.flush();
  const pid_t pid = fork();
  if (pid == 0) {
    for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  }
  return pid;
}

// run_kept() in a process of its own, as it changes what the process is. The exit status, or
// -signal.
int kept(
    const std::function<int()>& body, const std::function<void()>& before = [] {}) {
  const pid_t keeper = fork_plain();
  if (keeper == 0) {
    before();
    _exit(run_kept(body));
  }
  int status = 0;
  waitpid(keeper, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Everybody who still has the other end is gone when this returns.
void wait_until_closed(int fd) {
  char byte = 0;
  while (read(fd, &byte, 1) > 0) {
  }
}

}  // namespace

TEST_CASE("Keeper: the body's exit status, or 128 and its signal") {
  CHECK(kept([] { return 0; }) == 0);
  CHECK(kept([] { return 7; }) == 7);
  CHECK(kept([] { return raise(SIGKILL); }) == 128 + SIGKILL);
  CHECK(kept([]() -> int { abort(); }) == 128 + SIGABRT);
}

TEST_CASE("Keeper: a parent that ignores SIGCHLD or blocks signals changes nothing") {
  const auto spoil = [] {
    signal(SIGCHLD, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
  };
  CHECK(kept([] { return 5; }, spoil) == 5);
  const auto terminated = [] {
    kill(getppid(), SIGTERM);
    wait_forever();
    return 0;
  };
  CHECK(kept(terminated, spoil) == 128 + SIGTERM);
}

TEST_CASE("Keeper: when the body ends, in whatever way, all its descendants do") {
  for (const bool by_signal : {false, true}) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const int status = kept([&] {
      for (int i = 0; i < 5; ++i) {
        if (fork() != 0) continue;
        if (i % 2 == 0) setsid();
        if (fork() == 0) setsid();
        signal(SIGTERM, SIG_IGN);
        wait_forever();
      }
      if (by_signal) raise(SIGKILL);
      return 3;
    });
    CHECK(status == (by_signal ? 128 + SIGKILL : 3));
    close(ends[1]);
    wait_until_closed(ends[0]);
    close(ends[0]);
  }
}

TEST_CASE("Keeper: signals reach the body, which ends in its own way") {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    const int status = kept([number] {
      static volatile sig_atomic_t heard = 0;
      signal(number, [](int signal) { heard = signal; });
      sigset_t all;
      sigset_t before;
      sigfillset(&all);
      sigprocmask(SIG_BLOCK, &all, &before);
      kill(getppid(), number);
      while (heard == 0) sigsuspend(&before);
      return static_cast<int>(heard);
    });
    CHECK(status == number);
  }
}

TEST_CASE("Keeper: signals reach the body in the order in which they were sent") {
  const int status = kept([] {
    sigset_t awaited;
    sigemptyset(&awaited);
    for (const int number : {SIGTSTP, SIGCONT, SIGUSR1}) sigaddset(&awaited, number);
    sigprocmask(SIG_BLOCK, &awaited, nullptr);
    const auto await = [&](int number) {
      int got = 0;
      while (got != number && sigwait(&awaited, &got) == 0) {
      }
    };
    for (int round = 0; round < 5000; ++round) {
      kill(getppid(), SIGTSTP);
      kill(getppid(), SIGCONT);
      await(SIGCONT);
      kill(getppid(),
           SIGUSR1);  // by the time that this one is here, the keeper is done with the others
      await(SIGUSR1);
      sigset_t late;
      sigpending(&late);
      if (sigismember(&late, SIGTSTP) != 0) return 1;
    }
    return 0;
  });
  CHECK(status == 0);
}

TEST_CASE("Keeper: when it is killed, the body gets SIGTERM") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t keeper = fork_plain();
  if (keeper == 0) {
    _exit(run_kept([&] {
      static int to_us = -1;
      to_us = ends[1];
      signal(SIGTERM, [](int) {
        const bool told = write(to_us, "T", 1) == 1;
        _exit(told ? 0 : 1);
      });
      kill(getppid(), SIGKILL);
      wait_forever();
      return 0;
    }));
  }
  int status = 0;
  waitpid(keeper, &status, 0);
  CHECK(WTERMSIG(status) == SIGKILL);
  close(ends[1]);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 1);
  CHECK(byte == 'T');
  close(ends[0]);
}

TEST_CASE("Keeper: it holds nothing of the session open") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  int go[2];
  REQUIRE(pipe2(go, O_CLOEXEC) == 0);
  const pid_t keeper = fork_plain();
  if (keeper == 0) {
    dup2(ends[1], 1);
    close(ends[1]);
    _exit(run_kept([&] {
      close(1);
      char byte = 0;
      return read(go[0], &byte, 1) == 1 ? 0 : 1;
    }));
  }
  close(ends[1]);
  wait_until_closed(ends[0]);  // while both still run
  CHECK(write(go[1], "x", 1) == 1);
  int status = -1;
  waitpid(keeper, &status, 0);
  CHECK(status == 0);
  for (const int fd : {ends[0], go[0], go[1]}) close(fd);
}
