// Keys pressed at the terminal while a run goes on. Without effect where stdin is no terminal, or
// we are in its background. The terminal is as it was before once this is gone, stopped or
// suspended.
#pragma once

#include <termios.h>

#include <functional>
#include <optional>

#include "client/link/asio.hpp"

namespace hearth::client {

class TerminalKeys {
 public:
  TerminalKeys(asio::io_context& io, std::function<void(char)> on_key);
  ~TerminalKeys();
  TerminalKeys(const TerminalKeys&) = delete;
  TerminalKeys& operator=(const TerminalKeys&) = delete;

  void suspend();
  void resume();
  void stop();

 private:
  void wait();
  void read_keys();

  std::function<void(char)> m_on_key;
  asio::posix::stream_descriptor m_terminal;
  std::optional<termios> m_before;
};

}  // namespace hearth::client
