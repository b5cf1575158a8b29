// Where the threads of a process are: their stacks as gdb reads them, where there is a gdb that
// may; otherwise what the kernel says of each. For a test that has run into its time limit.
//
// Flow: poll() now and then until it gives the text. The debugger runs beside the event loop, and
// for a bounded time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "process/unique_fd.hpp"
#include "server/orphans.hpp"

namespace hearth::server {

class StackReader {
 public:
  using Time = std::chrono::steady_clock::time_point;

  StackReader(pid_t of, Orphans& orphans, Time now);
  ~StackReader();
  StackReader(const StackReader&) = delete;
  StackReader& operator=(const StackReader&) = delete;

  // The text, once; nullopt: not yet.
  [[nodiscard]] std::optional<std::string> poll(Time now);

 private:
  pid_t m_of;
  Orphans& m_orphans;
  Time m_since;
  pid_t m_debugger = -1;
  UniqueFd m_out;
  std::string m_text;
};

// A line for each thread: its name, its state, where in the kernel it waits.
[[nodiscard]] std::string describe_threads(const std::filesystem::path& process);

// The part of gdb's output that is about the threads; empty: it could not read them.
[[nodiscard]] std::string_view stacks_in(std::string_view debugger_output);

}  // namespace hearth::server
