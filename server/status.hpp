// What a resident server says of itself: one line of JSON (spec/connections.md).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::server {

struct ProgramState {
  std::string name;
  std::string path;
  std::string_view
      mode;  // "loading", "fork" (of a warm process), "exec" (anew for each test), "failed"
  std::string framework;
  std::size_t tests = 0;
  pid_t pid = 0;                 // of the warm process; 0: none
  std::uint64_t generation = 1;  // how many there have been, with this one
  std::chrono::system_clock::time_point since;
};

struct ServerState {
  struct Session {
    std::uint64_t number;
    std::chrono::system_clock::time_point since;
    std::size_t runs;  // Lists and Runs that are not done
    std::size_t left;  // tests and answers that these still owe
  };
  struct Running {
    std::string id;
    std::uint64_t session;  // 0: its client has gone
    std::chrono::system_clock::time_point since;
  };

  std::string address;
  std::chrono::seconds idle;  // 0: it stays
  std::vector<Session> sessions;
  std::vector<ProgramState> programs;
  std::vector<Running> running;
};

[[nodiscard]] std::string to_json(const ServerState& state);

}  // namespace hearth::server
