#include "process/children.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

using namespace hearth::process;

namespace {

[[noreturn]] void wait_forever() {
  for (;;) pause();
}

pid_t start_waiting() {
  const pid_t pid = fork();
  if (pid == 0) wait_forever();
  return pid;
}

// Runs in a process of its own, whose children are its only ones; true where it returns true.
template <typename Body>
bool apart(const Body& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body() ? 0 : 1);
  int status = -1;
  waitpid(pid, &status, 0);
  return status == 0;
}

// A process with this environment and no other.
pid_t start_with(const std::vector<std::string>& environment) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) abort();
  const pid_t pid = fork();
  if (pid == 0) {
    std::vector<char*> list;
    for (const std::string& variable : environment)
      list.push_back(const_cast<char*>(variable.c_str()));
    list.push_back(nullptr);
    char* const arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("1000000"), nullptr};
    execve("/bin/sleep", arguments, list.data());
    _exit(1);
  }
  close(ends[1]);
  char byte = 0;
  if (read(ends[0], &byte, 1) != 0) abort();  // closed by the exec
  close(ends[0]);
  return pid;
}

void end(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace

TEST_CASE("Marker: sixteen digits, which marker_of reads again") {
  for (const std::uint64_t execution :
       {std::uint64_t{1}, std::uint64_t{0xdeadbeef}, ~std::uint64_t{0}}) {
    char digits[marker_digits + 1] = {};
    write_marker(digits, execution);
    CHECK(std::string(digits).size() == marker_digits);
    const pid_t pid = start_with({"A=b", std::string(marker_variable) + '=' + digits, "C=d"});
    CHECK(marker_of(pid) == execution);
    end(pid);
  }
}

TEST_CASE("Marker: none where the environment has none, zero, or something like it") {
  const std::string name = marker_variable;
  for (const std::string& variable :
       {std::string("X=1"), name + "=", name + "=12", name + "=0000000000000000",
        name + "=00000000000000001", "X" + name + "=0000000000000001",
        name + "X=0000000000000001"}) {
    CAPTURE(variable);
    const pid_t pid = start_with({variable});
    CHECK_FALSE(marker_of(pid));
    end(pid);
  }
  CHECK_FALSE(marker_of(0));
}

TEST_CASE("Children: listed with zombies, until they are reaped") {
  CHECK(apart([] {
    const int list = open_children_list();
    if (list < 0 || !read_children(list).empty()) return false;
    std::vector<pid_t> started;
    for (int i = 0; i < 1000; ++i) started.push_back(start_waiting());
    kill(started[0], SIGKILL);
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(started[0]), &info, WEXITED | WNOWAIT);
    std::vector<pid_t> listed = read_children(list);
    std::sort(listed.begin(), listed.end());
    std::sort(started.begin(), started.end());
    return listed == started && kill_all_children(list) && read_children(list).empty();
  }));
}

TEST_CASE("Children: a zombie is told from the living") {
  const pid_t pid = start_waiting();
  CHECK_FALSE(is_zombie(pid));
  kill(pid, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  CHECK(is_zombie(pid));
  CHECK_FALSE(marker_of(pid));
  waitpid(pid, nullptr, 0);
  CHECK(is_zombie(pid));  // gone altogether
}

TEST_CASE("Children: a command in words") {
  const pid_t pid = start_with({});
  CHECK(command_of(pid) == "sleep 1000000");
  end(pid);
  const std::string long_argument(1000, 'x');
  CHECK(command_of(getpid()).size() <= 200);
  CHECK(command_of(getpid()).find('\0') == std::string::npos);
}

TEST_CASE("Children: all are killed and reaped, with the orphans that turn up on the way") {
  CHECK(apart([] {
    become_subreaper();
    for (int i = 0; i < 10; ++i) {
      if (fork() != 0) continue;
      for (int depth = 0; depth < 4; ++depth) {
        if (fork() == 0 && depth % 2 == 0) setsid();
      }
      signal(SIGTERM, SIG_IGN);
      if (i == 3) raise(SIGSTOP);
      wait_forever();
    }
    const int list = open_children_list();
    return kill_all_children(list) && read_children(list).empty() &&
           waitpid(-1, nullptr, WNOHANG) < 0;
  }));
  CHECK(apart([] { return kill_all_children(open_children_list()); }));
}

TEST_CASE("Children: death with the parent, also where that has died already") {
  CHECK(apart([] {
    become_subreaper();
    int ends[2];
    if (pipe(ends) != 0) return false;
    const pid_t parent = fork();
    if (parent == 0) {
      const pid_t self = getpid();
      const pid_t child = fork();
      if (child == 0) {
        const bool bound = die_with_parent(SIGKILL, self);
        if (!bound || write(ends[1], "x", 1) != 1) _exit(1);
        wait_forever();
      }
      char byte = 0;
      _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    int status = -1;
    waitpid(parent, &status, 0);
    if (status != 0) return false;
    const pid_t orphan = waitpid(-1, &status, 0);
    return orphan > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
           !die_with_parent(0, parent);
  }));
}

TEST_CASE("children: a sanitizer's helper is known by its name") {
  CHECK(is_symbolizer("/usr/bin/llvm-symbolizer-14 --demangle --inlines"));
  CHECK(is_symbolizer("[llvm-symbolizer]"));
  CHECK(is_symbolizer("addr2line -iCfe ./t"));
  CHECK_FALSE(is_symbolizer("cat /usr/bin/llvm-symbolizer"));
  CHECK_FALSE(is_symbolizer("sleep 7"));
}
