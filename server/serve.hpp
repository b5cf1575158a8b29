// `hearth serve`: test programs behind the test-server RPC on stdin and stdout.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transport/address.hpp"

namespace hearth::server {

enum class Isolation : std::uint8_t {
  process,  // each test in a process of its own
  none,     // all tests of a program that a Run asks for in one, in the Run's order
};

struct ServeOptions {
  std::vector<std::string> programs;           // each a path, NAME=PATH, or a quoted command line
  unsigned jobs = 0;                           // tests at a time; 0: the CPUs we may use
  std::chrono::milliseconds timeout{600'000};  // per test; 0: none
  std::chrono::milliseconds grace{2'000};      // between TERM and KILL
  std::chrono::milliseconds load_timeout{60'000};  // for a program to warm up and list
  std::uint64_t output_limit = 16u << 20;          // bytes kept per test and stream; 0: no limit
  Isolation isolation = Isolation::process;
  bool forks = true;                         // false: programs are started anew for each test
  bool leaks_fail = false;                   // a test that leaves processes behind fails
  bool exit_fails = true;                    // trouble at a program's end fails the Run
  std::string cwd;                           // of the programs; empty: ours
  std::vector<std::string> environment;      // K=V, on top of ours
  std::optional<transport::Address> listen;  // absent: one session, on stdin and stdout
  std::string token_file;        // of a TCP address; empty: where transport/token.hpp says
  std::chrono::seconds idle{0};  // without a client, after which a listening server ends; 0: never
};

inline constexpr int exit_address_taken = 3;

// Serves until the client says goodbye or goes away, on stdin and stdout or the socket
// HEARTH_CHANNEL_FD; or, where it is to listen, until a signal or nobody's coming ends it. Returns
// the exit status: 0 after Goodbye or in idleness, 1 where the session ended otherwise, 2 where it
// could not begin, exit_address_taken where another server listens there, 128 and the number of a
// signal.
int serve(const ServeOptions& options);

}  // namespace hearth::server
