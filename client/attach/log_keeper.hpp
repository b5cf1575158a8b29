// The process that keeps the log of a server in the background: it starts the server as its child,
// and ends when that has ended.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "client/attach/log_file.hpp"
#include "process/unique_fd.hpp"

namespace hearth::client {

// What a log keeper tells the one who waits for the server to listen.
inline constexpr char server_listens = '+';
inline constexpr char server_failed = '-';  // before the last words of the server

class LogKeeper {
 public:
  // `command`: see Daemon. `starter`: a pipe that takes one of the above, and is closed then.
  LogKeeper(const std::vector<std::string>& command, LogFile& log, UniqueFd starter)
      : m_command(command), m_log(log), m_starter(std::move(starter)) {}

  // From the server's start to its end.
  void keep();

 private:
  enum class Copied { some, nothing_yet, all };

  [[nodiscard]] bool start();
  Copied copy();
  void say(std::string_view text);
  void tell_starter(std::string_view word);

  const std::vector<std::string>& m_command;
  LogFile& m_log;
  UniqueFd m_starter;
  std::string m_tail;  // of what was said, until the starter has been told
  pid_t m_pid = -1;
  UniqueFd m_process;
  UniqueFd m_output;
};

}  // namespace hearth::client
