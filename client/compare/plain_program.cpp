#include "client/compare/plain_program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "client/compare/framework_results.hpp"
#include "client/link/server_process.hpp"

extern "C" char** environ;

namespace hearth::client {
namespace fs = std::filesystem;
namespace {

// A directory of our own that goes with us.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "hearth-check-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) m_path = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!m_path.empty()) fs::remove_all(m_path, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return m_path; }

 private:
  fs::path m_path;
};

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const auto& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

// Our variables, with those of the program before them: the first of a name is the one that counts.
std::vector<std::string> environment_of(const PlainProgram& program) {
  std::vector<std::string> variables = program.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string name(*variable, std::strcspn(*variable, "=") + 1);
    const auto set = [&](const std::string& other) { return other.starts_with(name); };
    if (std::none_of(program.environment.begin(), program.environment.end(), set))
      variables.emplace_back(*variable);
  }
  return variables;
}

Error start_error(const PlainProgram& program, int error) {
  return {"run " + program.path + " by itself", std::strerror(error),
          "build it, or correct the path"};
}

// The wait status.
Expected<int> run_with(const PlainProgram& program, const std::vector<std::string>& flags,
                       const fs::path& output) {
  std::vector<std::string> command{program.path};
  command.insert(command.end(), program.arguments.begin(), program.arguments.end());
  command.insert(command.end(), flags.begin(), flags.end());
  const auto variables = environment_of(program);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  if (!program.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, program.cwd.c_str());
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.path.c_str(), &actions, nullptr,
                                pointers(command).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return tl::unexpected(start_error(program, error));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

PlainRun finished(Verdicts verdicts, const char* framework, int wait_status) {
  return {std::move(verdicts), framework, WIFEXITED(wait_status) ? "" : describe_end(wait_status)};
}

}  // namespace

Expected<PlainRun> run_plain(const PlainProgram& program) {
  const TemporaryDirectory directory;
  if (directory.path().empty())
    return tl::unexpected(Error{"make a temporary directory", std::strerror(errno), "set TMPDIR"});
  const auto output = directory.path() / "output";
  const auto results = directory.path() / "results";

  auto status = run_with(program, {"--gtest_output=json:" + results.string()}, output);
  if (!status) return tl::unexpected(status.error());
  if (fs::exists(results))
    return parse_googletest_json(read_all(results), program.name).map([&](Verdicts&& verdicts) {
      return finished(std::move(verdicts), "GoogleTest", *status);
    });

  if (read_all(output).starts_with("[doctest]")) {
    status = run_with(program, {"--reporters=xml", "--out=" + results.string()}, output);
    if (!status) return tl::unexpected(status.error());
    return parse_doctest_xml(read_all(results), program.name).map([&](Verdicts&& verdicts) {
      return finished(std::move(verdicts), "doctest", *status);
    });
  }
  return tl::unexpected(
      Error{"get the verdicts of " + program.path + " by itself",
            "it " + describe_end(*status) + " and left no results that GoogleTest or doctest would",
            "give them with --plain-results"});
}

}  // namespace hearth::client
