// One session with a server, from its start to its end: list, choose, run, say goodbye. It keeps
// the ledger (RunModel), and tells an Observer what happens; what is printed is the observer's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/progress.hpp"
#include "client/report.hpp"
#include "client/run_model.hpp"
#include "client/server_link.hpp"

namespace hearth::client {

struct SessionPlan {
  // The tests to run, as they are; the server is not asked for its list. Absent: list first.
  std::optional<std::vector<std::string>> ids;
  // Which of the listed tests to run. Not set: none, the list is all that is wanted.
  std::function<std::vector<std::string>(const std::vector<std::string>& listed)> choose;
  // Between the end of what runs (TERM) and KILL; the server gets this and a little more to end.
  std::chrono::milliseconds grace{2000};
};

class Observer {
 public:
  virtual ~Observer() = default;
  // A line for people: the server's stderr, its errors, bytes that were no packets, its faults.
  virtual void on_note(std::string_view line) = 0;
  // The ids are known; running begins, if there are any.
  virtual void on_selected(const std::vector<std::string>& /*ids*/) {}
  virtual void on_packet(const protocol::PacketView& /*packet*/) {}
  virtual void on_report(const TestReport& /*report*/, const Counts& /*counts*/) {}
  // A test that ran when the server was lost, and what it had attached; its status is undefined.
  virtual void on_lost_test(const TestReport& /*report*/) {}
  // Ten times a second.
  virtual void on_tick(const Snapshot& /*snapshot*/) {}
};

struct SessionEnd {
  std::optional<std::string> refused;  // the server never said Hello: nothing was listed or run
  std::vector<std::string> listed;
  Outcome outcome;
};

// Runs the event loop until the session is over. SIGINT, SIGTERM and SIGHUP end it in good order; a
// second one kills the server.
[[nodiscard]] Expected<SessionEnd> run_session(const std::vector<std::string>& server_command,
                                               SessionPlan plan, Observer& observer);

// The ids as one command each can carry them.
[[nodiscard]] std::vector<std::span<const std::string>> in_commands(
    std::span<const std::string> ids, std::size_t max_ids = 500'000,
    std::size_t max_bytes = 32u << 20);

}  // namespace hearth::client
