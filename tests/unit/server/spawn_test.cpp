#include "server/spawn.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "process/children.hpp"
#include "tests/support/temporary_folder.hpp"

using hearth::UniqueFd;
using namespace hearth::server;
using hearth::test::TemporaryFolder;

namespace {

struct Ended {
  std::string out;
  std::string err;
  int status = 0;
};

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  pollfd readable{fd, POLLIN, 0};
  while (poll(&readable, 1, 60'000) > 0) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

Ended run(const std::string& script, const SpawnSettings& settings = {},
          std::uint64_t execution = 0) {
  auto spawned = spawn({"sh", "/bin/sh", {"-c", script}}, settings, execution);
  REQUIRE(spawned);
  Ended ended;
  ended.out = read_all(spawned->out.get());
  ended.err = read_all(spawned->err.get());
  waitpid(spawned->pid, &ended.status, 0);
  return ended;
}

}  // namespace

TEST_CASE("Spawn: output comes apart, stdin is at its end") {
  const Ended ended = run("echo out; echo err >&2; cat; exit 3");
  CHECK(ended.out == "out\n");
  CHECK(ended.err == "err\n");
  CHECK(WEXITSTATUS(ended.status) == 3);
}

TEST_CASE(
    "Spawn: the settings' environment is on top of ours, the channel and the mark on top of that") {
  setenv("HEARTH_SPAWN_TEST", "ours", 1);
  const char script[] = "echo $HEARTH_SPAWN_TEST,$HEARTH_TEST,$HEARTH_CHANNEL,$HEARTH_ADDED";
  CHECK(run(script, {}, 0x2a).out == "ours,000000000000002a,200,\n");
  const SpawnSettings settings{
      "", {"HEARTH_SPAWN_TEST=theirs", "HEARTH_TEST=x", "HEARTH_CHANNEL=y", "HEARTH_ADDED=a=b"}};
  CHECK(run(script, settings, 1).out == "theirs,0000000000000001,200,a=b\n");
  unsetenv("HEARTH_SPAWN_TEST");
}

TEST_CASE("Spawn: it starts in the given directory, or in ours") {
  const TemporaryFolder folder;
  CHECK(run("pwd", {folder.path().string(), {}}).out ==
        std::filesystem::canonical(folder.path()).string() + '\n');
  CHECK(run("pwd -P").out == std::filesystem::canonical(".").string() + '\n');
}

TEST_CASE("Spawn: a program that cannot be started is an error with a way out") {
  const TemporaryFolder folder;
  const auto plain = folder.write("plain", "x").string();
  const struct {
    std::string path;
    std::string cwd;
    const char* says;
  } cases[] = {
      {"/nowhere/at/all", "", "No such file"},
      {plain, "", "make it executable"},
      {folder.path().string(), "", "Permission denied"},
      {"/bin/true", "/nowhere", "--cwd"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.path);
    const auto spawned = spawn({"p", one.path, {}}, {one.cwd, {}}, 0);
    REQUIRE_FALSE(spawned);
    CHECK(spawned.error().text().find(one.says) != std::string::npos);
    CHECK(waitpid(-1, nullptr, 0) == -1);  // no child is left
  }
}

TEST_CASE("Spawn: nothing of ours is inherited, whatever numbers our own descriptors have") {
  std::vector<UniqueFd> filled;
  while (filled.empty() || filled.back().get() < 230)
    filled.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const char script[] =
      "for f in /proc/self/fd/*; do readlink $f | grep -c socket; done | grep -c 1";
  CHECK(run(script).out == "1\n");  // the channel alone
  // Free some numbers around the program's channel, so that our own ends are given them.
  for (int wanted = 195; wanted < 206; ++wanted) {
    const auto free = [&](int number) {
      for (UniqueFd& fd : filled) {
        if (fd.get() >= number && fd.get() < number + 8) fd.reset();
      }
    };
    free(wanted);
    CHECK(run(script).out == "1\n");
    for (UniqueFd& fd : filled) {
      if (!fd) fd = UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
  }
}

TEST_CASE("Spawn: signals, session and limits are as in a program started by hand") {
  sigset_t blocked;
  sigset_t before;
  sigfillset(&blocked);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto pipe_before = signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  raise_descriptor_limit();
  const Ended ended =
      run("grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -Sn; ps -o pid=,sid= $$ 2>/dev/null || "
          "true");
  sigprocmask(SIG_SETMASK, &before, nullptr);
  signal(SIGPIPE, pipe_before);
  CHECK(ended.out.find("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n") == 0);
  const std::string soft =
      limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
  CHECK(ended.out.find('\n' + soft + '\n') != std::string::npos);
}

TEST_CASE("Spawn: the program dies with us") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t between = fork();
  if (between == 0) {
    const auto spawned = spawn({"sleep", "/bin/sleep", {"1000000"}}, {}, 0);
    const pid_t pid = spawned ? spawned->pid : -1;
    _exit(write(ends[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
  }
  hearth::process::become_subreaper();
  pid_t pid = -1;
  REQUIRE(read(ends[0], &pid, sizeof pid) == sizeof pid);
  waitpid(between, nullptr, 0);
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(WTERMSIG(status) == SIGKILL);
  close(ends[0]);
  close(ends[1]);
}
