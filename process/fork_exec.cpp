#include "process/fork_exec.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace hearth::process {
namespace {

struct SignalsAtStart {
  sigset_t ignored;
  sigset_t blocked;

  SignalsAtStart() {
    sigemptyset(&ignored);
    sigemptyset(&blocked);
    sigprocmask(SIG_SETMASK, nullptr, &blocked);
    for (int number = 1; number < NSIG; ++number) {
      struct sigaction action {};
      if (sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
        sigaddset(&ignored, number);
    }
  }
};
const SignalsAtStart at_start;  // before main() changes any

// 0: exec has been done, and has closed the pipe.
int read_trouble(int from) {
  int code = 0;
  ssize_t got = 0;
  do {
    got = read(from, &code, sizeof code);
  } while (got < 0 && errno == EINTR);
  return got == sizeof code ? code : 0;
}

}  // namespace

std::vector<char*> exec_list(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

bool make_pipe(FdPair& pair) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  pair = {UniqueFd(ends[0]), UniqueFd(ends[1])};
  return true;
}

// glibc 2.36 declares pidfd_open() without extern "C".
UniqueFd open_pid(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

// A handler of ours that ran before exec would run in the child.
void reset_signals(Signals signals) {
  const bool inherited = signals == Signals::inherited;
  for (int number = 1; number < NSIG; ++number) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    const bool ignored = inherited && sigismember(&at_start.ignored, number) == 1;
    signal(number, ignored ? SIG_IGN : SIG_DFL);
  }
  sigset_t mask;
  sigemptyset(&mask);
  if (inherited) mask = at_start.blocked;
  sigprocmask(SIG_SETMASK, &mask, nullptr);
}

Forked fork_exec(const std::function<void()>& become, int top, Signals signals) {
  FdPair trouble;
  if (!make_pipe(trouble)) return {-1, errno};
  const pid_t pid = fork();
  if (pid < 0) return {-1, errno};
  if (pid == 0) {
    int report = trouble.theirs.get();
    if (report <= top) {
      const int moved = fcntl(report, F_DUPFD_CLOEXEC, top + 1);
      if (moved >= 0) report = moved;
    }
    reset_signals(signals);
    become();
    const int code = errno;
    [[maybe_unused]] const ssize_t ignored = write(report, &code, sizeof code);
    _exit(127);
  }
  trouble.theirs.reset();
  const int error = read_trouble(trouble.ours.get());
  if (error == 0) return {pid, 0};
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {-1, error};
}

}  // namespace hearth::process
