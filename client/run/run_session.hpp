// The machine behind run_tests(): one run, from its start to its end. One class in several files:
// run_session.cpp (what is given to servers, and when it is over), _results (what comes back),
// _losses (servers that end), _user (signals, keys, the clock's ticks).
#pragma once

#include <unordered_set>

#include "client/link/terminal_keys.hpp"
#include "client/run/ledger.hpp"
#include "client/run/orchestrator.hpp"

namespace hearth::client {

class RunSession : public ServerSlot::Owner {
 public:
  RunSession(asio::io_context& io, RunPlan plan, RunListener& listener);

  [[nodiscard]] Expected<void> start();
  [[nodiscard]] RunEnd take_end();

 private:
  // Ending: all tests are over, and programs go through their ends.
  enum class Phase : std::uint8_t { starting, listing, running, ending, leaving };

  struct Seat {
    std::unique_ptr<ServerSlot> slot;
    unsigned losses = 0;
    bool retired = false;  // no server is started for it any more
    // Tests have gone to it; when the first did, until one of them has started: a round trip.
    bool was_given = false;
    std::optional<SteadyTime> first_given;
    bool owes_ends = false;  // it was told that a last Run brings the programs' ends
    std::string end_nonce;   // of that Run, while it goes on
    bool wait_told = false;  // for a Done that is all that is missing
  };

  void on_ready(ServerSlot& slot) override;
  void on_result(ServerSlot& slot, const protocol::PacketView& packet) override;
  void on_done(ServerSlot& slot, const std::string& nonce) override;
  void on_note(ServerSlot& slot, std::string_view line) override;
  void on_damage(ServerSlot& slot, const std::string& what) override;
  void on_gone(ServerSlot& slot, const ServerSlot::End& end) override;

  void list_with(ServerSlot& slot);
  void list_again(ServerSlot& slot);
  void on_listed(ServerSlot& slot);
  void drop_repeated_ids(const ServerSlot& slot);
  void check_late_listing(ServerSlot& slot, const protocol::PacketView& packet);
  void begin_ends();
  void leave_if_ended();
  void choose();
  std::size_t leave_out_reserved();
  void begin_round();
  void give_out();
  void give(const Scheduler::Order& order);
  [[nodiscard]] bool is_filtered(const protocol::PacketView& packet) const;
  void book(ServerSlot& slot, TestReport report, std::string_view route);
  void book_left_out(ServerSlot& slot, const std::string& nonce);
  void note_unbooked_attachments(ServerSlot& slot, std::optional<std::string_view> route);
  bool book_killer(ServerSlot& slot, Task task, const std::string& how);
  void tell(const TestReport& report);
  [[nodiscard]] bool had_enough() const;
  void check_progress();
  void server_lost(ServerSlot& slot, const ServerSlot::End& end);
  void start_again(Seat& seat);
  void give_up_unless_one_is_left(const std::string& how, const ServerSlot::End& end);
  void leave();
  void report_lost_tests();

  void interrupt();
  void wait_for_signal();
  void on_signal(int signal);
  void suspend();
  void tick();
  void watch_answers(Seat& seat);
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] std::string activity() const;
  void end_if_all_are_gone();
  void end();
  [[nodiscard]] std::string numbered(const ServerSlot& slot, std::string_view line) const;

  asio::io_context& m_io;
  RunPlan m_plan;
  RunListener& m_listener;
  RunClock m_clock;
  SteadyTime m_started = m_clock.now();
  Phase m_phase = Phase::starting;
  std::vector<Seat> m_seats;
  ServerSlot* m_lister = nullptr;
  std::unordered_set<std::string> m_lists;  // nonces of those that are not done
  bool m_listed_by_name = false;
  std::unordered_set<std::string> m_named;  // ids that are listed by name
  unsigned m_times_listed = 0;
  std::string m_list_damage;          // what was wrong with an answer of m_lists; empty: nothing
  std::vector<std::size_t> m_listed;  // hashes of the ids that the list has, in order
  Chosen m_chosen;
  std::optional<Ledger> m_ledger;
  std::unique_ptr<Scheduler> m_scheduler;
  unsigned m_round = 0;
  bool m_said_hello = false;
  bool m_over = false;
  RunEnd m_end;
  asio::signal_set m_signals;
  asio::steady_timer m_ticker;
  TerminalKeys m_keys;
};

}  // namespace hearth::client
