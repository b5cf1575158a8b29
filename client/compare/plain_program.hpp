// Runs a test program by itself, as a user would by hand, and reads the verdicts from its
// framework's own result file, or from what it prints, and how it ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/compare/framework_results.hpp"

namespace hearth::client {

struct PlainProgram {
  std::string name;  // the first part of its tests' ids
  std::string path;
  std::vector<std::string> arguments;
  std::string cwd;                       // empty: ours
  std::vector<std::string> environment;  // K=V, on top of ours
};

struct PlainRun {
  PlainResults results;
  std::string framework;           // "GoogleTest", "doctest", "CppUnit", a file's name
  std::optional<int> wait_status;  // absent: it was not run
};

// Blocks until the program has ended; what it prints is not shown. It is started a second time
// where that gives what the first did not: a program that refuses --gtest_output has run no test,
// and doctest is asked for XML. `listed`: the ids of its tests, for frameworks that do not name
// those that pass.
[[nodiscard]] Expected<PlainRun> run_plain(const PlainProgram& program,
                                           const std::vector<std::string>& listed);

// Puts how the program ended beside the verdicts, as the result `<program>.exit`, and a suite's
// tear-down that failed as `<program>.<suite>.teardown`, where either side has something to say of
// them: `hearth` has them where they failed. What by itself is explained by a failed test is taken
// to be as it is through Hearth. Pure.
void add_ends(Verdicts& hearth, PlainRun& plain, const std::string& program,
              const ExpectedDifferences& expected);

// "exited with status 3". Empty: it was not run.
[[nodiscard]] std::string end_text(const PlainRun& plain);

}  // namespace hearth::client
