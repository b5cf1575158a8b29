#include "server/suspension.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "server/spawn.hpp"

using hearth::FdPair;
using hearth::UniqueFd;
using namespace hearth::server;

namespace {

char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  return stat.empty() ? 'X' : stat[stat.rfind(')') + 2];
}

// A child with a child of its own in another session; its pids come over a pipe when they are
// there.
struct Family {
  Family() {
    parent = fork();
    if (parent == 0) {
      const pid_t second = fork();
      if (second == 0) {
        setsid();
        tell_and_wait();
      }
      tell_and_wait();
    }
    pids.resize(2);
    for (pid_t& pid : pids) REQUIRE(read(pipe.ours.get(), &pid, sizeof pid) == sizeof pid);
  }
  ~Family() {
    for (const pid_t pid : pids) kill(pid, SIGKILL);
    waitpid(parent, nullptr, 0);
  }
  [[noreturn]] void tell_and_wait() const {
    const pid_t self = getpid();
    if (write(pipe.theirs.get(), &self, sizeof self) != sizeof self) _exit(1);
    for (;;) pause();
  }

  FdPair pipe = [] {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    return FdPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  }();
  pid_t parent;
  std::vector<pid_t> pids;
};

bool has(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

}  // namespace

TEST_CASE("Suspension: all descendants stand still, and go on") {
  const Family family;
  const auto stopped = stop_descendants();
  for (const pid_t pid : family.pids) {
    CHECK(has(stopped, pid));
    CHECK(state_of(pid) == 'T');
  }
  set_going(stopped);
  for (const pid_t pid : family.pids) CHECK(state_of(pid) != 'T');
}

TEST_CASE("Suspension: what had stopped stays so") {
  const Family family;
  REQUIRE(kill(family.parent, SIGSTOP) == 0);
  int status = 0;
  REQUIRE(waitpid(family.parent, &status, WUNTRACED) == family.parent);
  const auto stopped = stop_descendants();
  for (const pid_t pid : family.pids) CHECK(has(stopped, pid) == (pid != family.parent));
  set_going(stopped);
  CHECK(state_of(family.parent) == 'T');
}

// In a process of its own: other tests may have left some below this one.
TEST_CASE("Suspension: nothing is below this process") {
  const pid_t childless = fork();
  if (childless == 0) _exit(stop_descendants().empty() ? 0 : 1);
  int status = -1;
  REQUIRE(waitpid(childless, &status, 0) == childless);
  CHECK(status == 0);
}
