// One worker of a run: a server, and the next one where that is lost or used up. It starts the
// server, waits for its Hello, tells a server that is busy from one that answers no more, and ends
// it.
//
// A server that has said nothing for a while is asked for a List of nothing, which costs it no
// work. One that is known to answer that while tests run, and does not within `patience.silence`,
// is given up; of others much more is borne, for they may be busy with a test. One that somebody
// has stopped (SIGSTOP) is named. Of a server that answers, but whose answers do not end, the owner
// judges by last_answer() and doubt().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/link/server_link.hpp"
#include "client/run/result_assembler.hpp"
#include "client/run/run_clock.hpp"

namespace hearth::client {

// The deadlines of RPC-11.9 and docs/hearth-run.md.
struct Patience {
  std::chrono::milliseconds start{10'000};      // for the Hello
  std::chrono::milliseconds quiet{15'000};      // before a silent server is asked
  std::chrono::milliseconds unanswered{5'000};  // before it is said that it does not answer
  std::chrono::milliseconds silence{60'000};    // after that, of one known to answer while it works
  std::chrono::milliseconds long_silence{900'000};  // of others
  std::chrono::milliseconds look{2'000};      // of silence, before it is looked at: is it stopped?
  std::chrono::milliseconds stopped{60'000};  // of one that somebody has stopped
  // For an answer that does not go on and does not end, while no test of it runs: longer than a
  // server's own limits. And if it was damaged.
  std::chrono::milliseconds done{900'000};
  std::chrono::milliseconds after_damage{60'000};
  std::chrono::milliseconds grace{2000};  // between TERM and KILL of what still runs at the end
  // On top of the grace: from Goodbye to the server's end; the same after Ctrl-C; and from there,
  // or from TERM, to the end of its process group.
  std::chrono::milliseconds end{15'000};
  std::chrono::milliseconds hurried_end{5'000};
  std::chrono::milliseconds group{3'000};
};

class ServerSlot final : public ServerLink::Listener {
 public:
  // How a server ended.
  struct End {
    std::string how;  // "it exited with status 1"
    bool said_hello = false;
    bool wanted = false;  // we had said goodbye
    int wait_status = 0;
    std::string printed;  // before Hello, where there was none
    nanoseconds cpu{};
  };
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_ready(ServerSlot& slot) = 0;
    virtual void on_result(ServerSlot& slot, const protocol::PacketView& packet) = 0;
    virtual void on_done(ServerSlot& slot, const std::string& nonce) = 0;
    virtual void on_note(ServerSlot& slot, std::string_view line) = 0;
    // Something of what it is saying may be lost; it has been noted.
    virtual void on_damage(ServerSlot& slot, const std::string& what) = 0;
    // The slot may be started again.
    virtual void on_gone(ServerSlot& slot, const End& end) = 0;
  };

  ServerSlot(asio::io_context& io, Worker worker, std::vector<std::string> command,
             const Patience& patience, const RunClock& clock, Owner& owner);

  [[nodiscard]] Expected<void> start();
  [[nodiscard]] Worker worker() const { return m_worker; }
  [[nodiscard]] bool is_ready() const { return m_link && m_ready && !m_leaving; }
  [[nodiscard]] bool is_up() const { return m_link != nullptr; }
  [[nodiscard]] bool is_given_up() const { return !m_fatal.empty(); }
  [[nodiscard]] bool is_leaving() const { return m_leaving; }

  [[nodiscard]] std::string list();
  // Lists those of the ids that are there: the nonces of the Lists that this takes.
  [[nodiscard]] std::vector<std::string> list(const std::vector<std::string>& ids);
  // The Done of that List is not waited for any more.
  void abandon(const std::string& nonce) { m_link->session().abandon(nonce); }
  // As one Run, or as several where the ids are too many for one: their nonces, and how many ids
  // each has. `ends`: nothing follows, so that the programs go through their end; of several Runs
  // none does that.
  struct Given {
    std::string nonce;
    std::size_t ids;
  };
  [[nodiscard]] std::vector<Given> run(const std::vector<std::string>& ids, bool ends);
  // A Run of nothing, after which all programs have gone through their end: its nonce.
  [[nodiscard]] std::string run_ends();
  [[nodiscard]] std::size_t in_flight() const { return m_link ? m_link->session().in_flight() : 0; }
  // The same, but for the questions that are asked in silence.
  [[nodiscard]] std::size_t commands() const {
    return in_flight() - (in_flight() > 0 && !m_ping.empty() ? 1 : 0);
  }
  // When something of an answer came last, or was asked for.
  [[nodiscard]] SteadyTime last_answer() const { return m_answered; }
  // What was damaged since then; empty: nothing.
  [[nodiscard]] const std::string& doubt() const { return m_doubt; }
  [[nodiscard]] ResultAssembler& results() { return m_results; }

  void goodbye();
  // It has said Goodbye, and somebody waits for its end.
  void hurry();
  // It is ended, and on_gone() gets the reason.
  void give_up(const std::string& why);
  void kill();
  void suspend();
  void resume();
  // Called ten times a second.
  void tick();

 private:
  void on_event(const protocol::ClientEvent& event) override;
  void on_server_line(std::string_view line) override;
  void on_end(int wait_status, nanoseconds cpu) override;

  void on(const protocol::ServerReady& ready);
  void on(const protocol::ResultPacket& result);
  void on(const protocol::CommandDone& done);
  void on(const protocol::ServerError& error);
  void on(const protocol::ServerOutput& output);
  void on(const protocol::ForeignOutput& foreign);
  void on(const protocol::PeerFault& fault);

  std::string flushed(std::string nonce);
  void note(const std::string& line);
  void end_lines();
  void complain(const std::string& line);
  void damaged(const std::string& what);
  void watch_silence(SteadyTime now);
  void watch_for_a_stop(SteadyTime now);

  asio::io_context& m_io;
  Worker m_worker;
  std::vector<std::string> m_command;
  const Patience& m_patience;
  const RunClock& m_clock;
  Owner& m_owner;
  std::unique_ptr<ServerLink> m_link;
  ResultAssembler m_results;
  std::string m_fatal;    // why we ended it
  std::string m_printed;  // before its Hello
  std::string m_error;    // what it last complained of, with no result or Done behind it
  Lines m_stdout;         // of what is passed on as attachments
  Lines m_stderr;
  bool m_ready = false;
  bool m_leaving = false;
  bool m_answers_at_work = false;
  std::string m_ping;  // the nonce of the List of nothing that is not answered
  bool m_pinged_at_work = false;
  bool m_silence_told = false;
  std::string m_doubt;
  std::size_t m_complaints = 0;
  SteadyTime m_started;
  SteadyTime m_heard;
  SteadyTime m_asked;
  SteadyTime m_answered;
  SteadyTime m_looked;
  std::optional<SteadyTime> m_stopped;  // since when a process of it is seen to stand still
};

// The ids as one command each can carry them.
[[nodiscard]] std::vector<std::span<const std::string>> in_commands(
    std::span<const std::string> ids, std::size_t max_ids = 500'000,
    std::size_t max_bytes = 32u << 20);

}  // namespace hearth::client
