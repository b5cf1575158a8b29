#include "process/keeper.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "process/title.hpp"
#include "process/wait_status.hpp"

namespace hearth::process {
namespace {

volatile sig_atomic_t kept_pid = 0;

void forward(int signal) {
  const int saved = errno;
  if (kept_pid > 0) kill(static_cast<pid_t>(kept_pid), signal);
  errno = saved;
}

constexpr int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGTSTP, SIGCONT};

// Whoever started us may have left signals blocked, or SIGCHLD ignored: then no child could be
// waited for.
void take_signals_as_they_should_be(sigset_t& ours) {
  sigemptyset(&ours);
  for (const int signal : forwarded) sigaddset(&ours, signal);
  sigset_t unblocked = ours;
  sigaddset(&unblocked, SIGCHLD);
  sigprocmask(SIG_UNBLOCK, &unblocked, nullptr);
  signal(SIGCHLD, SIG_DFL);
}

// Nothing of the session's stays open here: its end of file is the server's.
void let_go_of_the_session() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  dup2(null, 0);
  dup2(null, 1);
  close(null);
}

int wait_for(pid_t kept) {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, 0);
    if (pid < 0 && errno != EINTR) return 1;
    if (pid == kept) return exit_status(status);
  }
}

}  // namespace

int run_kept(const std::function<int()>& body, Daemons daemons) {
  become_subreaper();
  sigset_t ours;
  sigset_t before;
  take_signals_as_they_should_be(ours);
  // Until both know of each other, signals wait.
  sigprocmask(SIG_BLOCK, &ours, &before);
  const pid_t keeper = getpid();
  const pid_t kept = fork();
  if (kept < 0) {
    std::fprintf(stderr, "hearth: start the server: %s\n", std::strerror(errno));
    return 2;
  }
  if (kept == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (!die_with_parent(SIGTERM, keeper)) _exit(1);
    const int status = body();
    std::fflush(nullptr);
    _exit(status);
  }
  kept_pid = kept;
  struct sigaction action {};
  action.sa_handler = forward;
  action.sa_mask = ours;  // they are passed on in the order in which they came
  for (const int signal : forwarded) sigaction(signal, &action, nullptr);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  let_go_of_the_session();
  set_title("hearth-keeper", "hearth: keeper of the server " + std::to_string(kept));
  const int status = wait_for(kept);
  kill_all_children(open_children_list(), daemons);
  return status;
}

}  // namespace hearth::process
