// The command that brings a tunnel: its stdin is open, and empty, for as long as the tunnel is
// wanted, its stdout is read, its stderr is ours. It is in our process group.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/attach/tunnel_talk.hpp"
#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "tunnel/owned_child.hpp"

namespace hearth::client {

class TunnelCommand {
 public:
  [[nodiscard]] static Expected<TunnelCommand> start(const std::vector<std::string>& words);
  TunnelCommand(TunnelCommand&&) = default;
  TunnelCommand& operator=(TunnelCommand&&) = delete;
  // Ends the command: its stdin ends, then it gets SIGTERM, then SIGKILL.
  ~TunnelCommand();

  // Its stdout, to poll; -1: that has ended.
  [[nodiscard]] int fd() const { return m_out.get(); }
  // Readable when it has ended.
  [[nodiscard]] int process_fd() const { return m_process.pid_fd(); }
  // Reads what there is. What is for people goes to stderr. False: its stdout has ended.
  bool read_some();
  // What has come already.
  void drain();
  [[nodiscard]] const std::optional<Announcement>& announcement() const {
    return m_talk.announcement();
  }
  // "exited with status 255", if it has ended.
  [[nodiscard]] std::optional<std::string> end();

 private:
  TunnelCommand(tunnel::OwnedChild process, UniqueFd in, UniqueFd out)
      : m_process(std::move(process)), m_in(std::move(in)), m_out(std::move(out)) {}
  void show_lines();

  tunnel::OwnedChild m_process;
  UniqueFd m_in;
  UniqueFd m_out;
  TunnelTalk m_talk;
};

}  // namespace hearth::client
