#include "client/project/instances.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "client/project/servers.hpp"
#include "client/project/shell_command.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace hearth::client;
using hearth::test::TemporaryFolder;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

struct Project {
  TemporaryFolder folder;
  ProjectSettings settings;

  explicit Project(const std::string& lines) {
    settings.directory = folder.path().string();
    std::ofstream(folder.path() / ".testr.conf") << "[DEFAULT]\n" << lines;
  }
  [[nodiscard]] auto servers(std::optional<unsigned> workers = std::nullopt) const {
    return find_servers(settings, "/hearth", workers);
  }
  [[nodiscard]] std::string error() const {
    const auto found = servers();
    REQUIRE_FALSE(found);
    return found.error().text();
  }
  [[nodiscard]] std::string log() const { return contents(folder.path() / "log"); }
};

ShellCommand shell(const std::string& text, std::chrono::milliseconds limit = 1min) {
  return {"some_key", text, ".", limit};
}

std::string shell_error(const ShellCommand& command) {
  const auto output = run_shell(command);
  REQUIRE_FALSE(output);
  return output.error().text();
}

}  // namespace

TEST_CASE("Shell command: its output, an empty stdin, and where it runs") {
  const TemporaryFolder folder;
  auto command = shell("cat; pwd; echo trouble >&2");
  command.directory = std::filesystem::canonical(folder.path()).string();
  const auto output = run_shell(command);
  REQUIRE(output);
  CHECK(output->out == command.directory + "\n");
  CHECK(output->err == "trouble\n");
}

TEST_CASE("Shell command: errors name the key, the command, the end and the stderr") {
  CHECK(shell_error(shell("echo why >&2; exit 3")) ==
        "run some_key (echo why >&2; exit 3): it exited with status 3; its stderr ends with:\nwhy");
  CHECK(shell_error(shell("kill -9 $$")) ==
        "run some_key (kill -9 $$): it was killed by signal 9 (SIGKILL)");
  auto nowhere = shell("true");
  nowhere.directory = "/nonexistent";
  CHECK(shell_error(nowhere).find("/nonexistent: No such file") != std::string::npos);
}

TEST_CASE("Shell command: it is stopped at its limits, with what it started") {
  const TemporaryFolder folder;
  const auto held = folder.path() / "held";
  REQUIRE(mkfifo(held.c_str(), 0600) == 0);
  const int fd = open(held.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(fd >= 0);
  const auto command = shell("sleep 1000 > " + held.string() + " & wait", 200ms);
  CHECK(shell_error(command).find("it took longer than") != std::string::npos);
  REQUIRE(fcntl(fd, F_SETFL, 0) == 0);
  char byte = 0;
  CHECK(read(fd, &byte, 1) == 0);  // comes when nobody holds the other end any more
  close(fd);
  CHECK(shell_error(shell("yes")).find("more than 1 MiB") != std::string::npos);
}

TEST_CASE("Shell command: what it leaves in the background is not waited for") {
  const auto output = run_shell(shell("sleep 1000 & echo $!"));
  REQUIRE(output);
  const auto pid = std::stoi(output->out);
  CHECK(kill(pid, SIGKILL) == 0);
}

TEST_CASE("Shell command: a signal to us stops it, and is used up") {
  const auto command = shell("kill -INT " + std::to_string(getpid()) + "; sleep 1000");
  CHECK(shell_error(command).find("SIGINT came") != std::string::npos);
}

TEST_CASE("Instances: the commands") {
  CHECK(provision_command("p -n $INSTANCE_COUNT $HOME", 3) == "p -n 3 $HOME");
  CHECK(execute_command("in $INSTANCE_ID '$FILES' $COMMAND", "i1", "a $FILES") ==
        "in i1 '' a $FILES");
  CHECK(dispose_command("d $INSTANCE_IDS", {"b", "a"}) == "d a b");
}

TEST_CASE("Instances: provided, used and disposed of once") {
  const Project project(
      "server_command=serve $HOME\n"
      "instance_provision=echo provide $INSTANCE_COUNT >> log; echo one; echo two three\n"
      "instance_execute=in $INSTANCE_ID [$FILES] $COMMAND\n"
      "instance_dispose=echo drop $INSTANCE_IDS >> log\n");
  {
    const auto servers = project.servers(2);
    REQUIRE(servers);
    REQUIRE(servers->commands.size() == 2);
    CHECK(servers->commands[0].back().ends_with("\nin one [] serve $HOME"));
    CHECK(servers->commands[1].back().ends_with("\nin two [] serve $HOME"));
    CHECK(project.log() == "provide 2\n");
  }
  CHECK(project.log() == "provide 2\ndrop one three two\n");
}

TEST_CASE("Instances: what is missing is asked for again") {
  const Project project(
      "server_command=serve\n"
      "instance_provision=echo $INSTANCE_COUNT >> log; echo i$INSTANCE_COUNT\n");
  const auto servers = project.servers(3);
  REQUIRE(servers);
  CHECK(project.log() == "3\n2\n1\n");
  CHECK(servers->commands.size() == 3);
}

TEST_CASE("Instances: if some cannot be had, those that were are disposed of") {
  const Project project(
      "server_command=serve\n"
      "instance_provision=test -e log && { echo full >&2; exit 7; }; touch log; echo one\n"
      "instance_dispose=echo drop $INSTANCE_IDS >> log\n");
  const auto servers = project.servers(2);
  REQUIRE_FALSE(servers);
  const auto text = servers.error().text();
  CHECK(text.starts_with("run instance_provision ("));
  CHECK(text.ends_with("it exited with status 7; its stderr ends with:\nfull"));
  CHECK(project.log() == "drop one\n");
}

TEST_CASE("Instances: a provision that gives nothing is an error, not a loop") {
  const Project project(
      "server_command=serve\ninstance_provision=echo\ninstance_dispose=touch log\n");
  CHECK(project.error().find("it printed no id of a new instance") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(project.folder.path() / "log"));
}

TEST_CASE("Instances: they are disposed of also when the process is killed") {
  const Project project(
      "server_command=serve\n"
      "instance_provision=echo one\n"
      "instance_dispose=echo drop $INSTANCE_IDS > done\n");
  const auto done = project.folder.path() / "done";
  REQUIRE(mkfifo(done.c_str(), 0600) == 0);
  const auto pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    const auto servers = project.servers(1);
    raise(SIGKILL);
    _exit(servers ? 0 : 1);
  }
  CHECK(contents(done) == "drop one\n");  // as soon as somebody writes it
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status));
}

TEST_CASE("Servers: programs of the command line, whatever the project says") {
  Project project("server_command=50%\n");
  project.settings.server.programs = {"./a"};
  const auto servers = project.servers(2);
  REQUIRE(servers);
  CHECK(servers->commands == std::vector<Words>(2, Words{"/hearth", "serve", "--", "./a"}));
}

TEST_CASE("Servers: the project's command, as often as it says") {
  const Project project(
      "server_command=serve\ntest_run_concurrency=echo ' 3'\nfilter_tags=a\ngroup_regex=x+\n");
  const auto servers = project.servers();
  REQUIRE(servers);
  CHECK(servers->commands.size() == 3);
  CHECK(servers->commands[0].back() ==
        "cd " + shell_quoted(project.settings.directory) + " || exit 2\nserve");
  CHECK(servers->filter_tags == Words{"a"});
  CHECK(servers->group_of("xxy") == "xx");
  CHECK(project.servers(1)->commands.size() == 1);
}

TEST_CASE("Servers: a concurrency that is no number is an error that shows it") {
  for (const auto* printed : {"many", "", "-1", "3 4", "1.5", "99999999999"}) {
    const Project project("server_command=serve\ntest_run_concurrency=echo '" +
                          std::string(printed) + "'\n");
    CHECK(project.error().find("the command printed '" + std::string(printed) + "'") !=
          std::string::npos);
  }
  CHECK(Project("server_command=serve\ntest_run_concurrency=echo 0\n").servers()->commands.size() ==
        1);
  CHECK(Project("server_command=serve\ntest_run_concurrency=false\n")
            .error()
            .starts_with("run test_run_concurrency (false): it exited with status 1"));
}

TEST_CASE("Servers: without a command, the errors say how to get one") {
  CHECK(Project("").error().find("hearth init --add PROGRAM...") != std::string::npos);
  const TemporaryFolder folder;
  ProjectSettings settings;
  settings.directory = folder.path().string();
  const auto servers = find_servers(settings, "/hearth", 1);
  REQUIRE_FALSE(servers);
  CHECK(servers.error().text().find("hearth init PROGRAM...") != std::string::npos);
  settings.server_command = "other";
  CHECK(find_servers(settings, "/hearth", 1)->commands.size() == 1);
}
