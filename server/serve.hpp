// `hearth serve`: test programs behind the test-server RPC on stdin and stdout.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace hearth::server {

struct ServeOptions {
  std::vector<std::string> programs;            // each a path, NAME=PATH, or a quoted command line
  unsigned jobs = 0;                            // tests at a time; 0: the CPUs we may use
  std::chrono::milliseconds timeout{600'000};   // per test; 0: none
  std::chrono::milliseconds grace{2'000};       // between TERM and KILL
  std::chrono::milliseconds load_timeout{60'000};  // for a program to warm up and list
  std::uint64_t output_limit = 16u << 20;       // bytes kept per test and stream; 0: no limit
  bool leaks_fail = false;                      // a test that leaves processes behind fails
  std::string cwd;                              // of the programs; empty: ours
  std::vector<std::string> environment;         // K=V, on top of ours
};

// Serves until the client says goodbye or goes away. Returns the exit status: 0 after Goodbye, 1 where the
// session ended otherwise, 2 where it could not begin.
int serve(const ServeOptions& options);

}  // namespace hearth::server
