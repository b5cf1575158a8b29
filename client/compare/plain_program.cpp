#include "client/compare/plain_program.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "client/link/server_process.hpp"
#include "process/fork_exec.hpp"

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

// Our variables, with those of the program before them: the first of a name is the one that counts.
std::vector<std::string> environment_of(const PlainProgram& program,
                                        const std::vector<std::string>& more) {
  std::vector<std::string> variables = more;
  variables.insert(variables.end(), program.environment.begin(), program.environment.end());
  const auto first = variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string name(*variable, std::strcspn(*variable, "=") + 1);
    const auto set = [&](const std::string& other) { return other.starts_with(name); };
    if (std::none_of(first.begin(), first.end(), set)) variables.emplace_back(*variable);
  }
  return variables;
}

Error start_error(const PlainProgram& program, int error) {
  return {"run " + program.path + " by itself", std::strerror(error),
          "build it, or correct the path"};
}

// The wait status.
Expected<int> run_with(const PlainProgram& program, const std::vector<std::string>& flags,
                       const fs::path& output, const std::vector<std::string>& more = {}) {
  std::vector<std::string> command{program.path};
  command.insert(command.end(), program.arguments.begin(), program.arguments.end());
  command.insert(command.end(), flags.begin(), flags.end());
  const auto variables = environment_of(program, more);
  auto words = process::exec_list(command);
  auto environment = process::exec_list(variables);
  const auto [pid, error] = process::fork_exec(
      [&] {
        const int in = open("/dev/null", O_RDONLY);
        const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
            dup2(out, STDERR_FILENO) < 0)
          return;
        if (!program.cwd.empty() && chdir(program.cwd.c_str()) != 0) return;
        execve(program.path.c_str(), words.data(), environment.data());
      },
      STDERR_FILENO, process::Signals::inherited);
  if (error != 0) return tl::unexpected(start_error(program, error));
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

bool is_of_doctest(const std::string& output) {
  return output.starts_with("[doctest]") || output.find("\n[doctest]") != std::string::npos;
}

// What a run of the program has given; nullopt: nothing of GoogleTest's or CppUnit's.
Expected<std::optional<PlainRun>> read_run(const PlainProgram& program, const fs::path& results,
                                           const std::string& output, int wait_status,
                                           const std::vector<std::string>& listed) {
  auto said = parse_googletest_text(output, program.name);
  if (fs::exists(results)) {
    auto read = parse_googletest_json(read_all(results), program.name);
    if (!read && !said) return tl::unexpected(read.error());
    if (read && said) read->failed_suites = said->failed_suites;
    return PlainRun{read ? std::move(*read) : std::move(*said), "GoogleTest", wait_status};
  }
  if (said) return PlainRun{std::move(*said), "what GoogleTest prints", wait_status};
  if (auto of_cppunit = parse_cppunit_text(output, program.name, listed))
    return PlainRun{std::move(*of_cppunit), "what CppUnit prints", wait_status};
  return std::nullopt;
}

bool has_failure(const PlainResults& results) {
  return !results.failed_suites.empty() ||
         std::any_of(results.verdicts.begin(), results.verdicts.end(), [](const auto& verdict) {
           return verdict.second == protocol::TestStatus::fail;
         });
}

// nullopt: by itself it cannot be told, for a test that failed explains it.
std::optional<bool> ended_well(const PlainRun& plain) {
  if (plain.results.failed_outside) return false;
  if (!plain.wait_status) return std::nullopt;
  if (*plain.wait_status == 0) return true;
  if (!plain.results.complete) return std::nullopt;
  if (WIFSIGNALED(*plain.wait_status) || !has_failure(plain.results)) return false;
  return std::nullopt;
}

void add_tear_down(Verdicts& hearth, Verdicts& plain, const std::string& suite) {
  using protocol::TestStatus;
  const auto id = suite + ".teardown";
  bool found = false;
  for (const auto& [test, status] : hearth) {
    if (status != TestStatus::fail || !test.starts_with(suite + ".")) continue;
    found = true;  // its set-up failed, and with it each test; or else this:
    if ((test == id || test.starts_with(id + " #")) && !plain.contains(test))
      plain.emplace(test, TestStatus::fail);
  }
  if (!found) plain.emplace(id, TestStatus::fail);
}

}  // namespace

Expected<PlainRun> run_plain(const PlainProgram& program, const std::vector<std::string>& listed) {
  const TemporaryDirectory directory;
  if (directory.path().empty())
    return tl::unexpected(Error{"make a temporary directory", std::strerror(errno), "set TMPDIR"});
  const auto output = directory.path() / "output";
  const auto results = directory.path() / "results";
  const auto wanted = "json:" + results.string();

  auto status = run_with(program, {"--gtest_output=" + wanted}, output);
  if (!status) return tl::unexpected(status.error());
  auto run = read_run(program, results, read_all(output), *status, listed);
  if (run && !*run && !is_of_doctest(read_all(output))) {
    status = run_with(program, {}, output, {"GTEST_OUTPUT=" + wanted});
    if (!status) return tl::unexpected(status.error());
    run = read_run(program, results, read_all(output), *status, listed);
  }
  if (!run) return tl::unexpected(run.error());
  if (*run) return std::move(**run);

  if (is_of_doctest(read_all(output))) {
    status = run_with(program, {"--reporters=xml", "--out=" + results.string()}, output);
    if (!status) return tl::unexpected(status.error());
    return parse_doctest_xml(read_all(results), program.name).map([&](PlainResults&& read) {
      return PlainRun{std::move(read), "doctest", *status};
    });
  }
  return tl::unexpected(Error{"get the verdicts of " + program.path + " by itself",
                              "it " + describe_end(*status) +
                                  " and left no results that GoogleTest, doctest or CppUnit would",
                              "give them with --plain-results"});
}

void add_ends(Verdicts& hearth, PlainRun& plain, const std::string& program,
              const ExpectedDifferences& expected) {
  using protocol::TestStatus;
  for (const auto& suite : plain.results.failed_suites)
    add_tear_down(hearth, plain.results.verdicts, program + "." + suite);
  const auto id = program + ".exit";
  const auto well = ended_well(plain);
  const bool is_told = hearth.contains(id) || plain.results.verdicts.contains(id);
  if (!is_told && well.value_or(true) && !expected.contains(id)) return;
  const auto ours = hearth.try_emplace(id, TestStatus::success).first->second;
  const auto theirs = !well ? ours : *well ? TestStatus::success : TestStatus::fail;
  plain.results.verdicts.try_emplace(id, theirs);
}

std::string end_text(const PlainRun& plain) {
  return plain.wait_status ? describe_end(*plain.wait_status) : "";
}

}  // namespace hearth::client
