// Runs a test program by itself, as a user would by hand, and reads the verdicts from its
// framework's own result file.
#pragma once

#include <string>
#include <vector>

#include "client/compare/comparison.hpp"

namespace hearth::client {

struct PlainProgram {
  std::string name;  // the first part of its tests' ids
  std::string path;
  std::vector<std::string> arguments;
  std::string cwd;                       // empty: ours
  std::vector<std::string> environment;  // K=V, on top of ours
};

struct PlainRun {
  Verdicts verdicts;
  std::string framework;  // "GoogleTest", "doctest"
  std::string ended;      // how, where it was killed; empty otherwise
};

// Blocks until the program has ended; what it prints is not shown.
[[nodiscard]] Expected<PlainRun> run_plain(const PlainProgram& program);

}  // namespace hearth::client
