// A server with a script, for the tests of the orchestrator: `fake_server BEHAVIOUR ID...`. It has
// the tests ID...; what a Run of one does is what its id ends in:
//   pass, fail: that;   omit: it has no result;   hang: the Run has no end;
//   lost: the server kills itself when the test has started and said something;
//   noise: bytes that are no packet come before its pass.
// An id that ends in exit or teardown is listed by its name only; one that ends in gone, never.
// BEHAVIOUR: good; mute: ends without a Hello; disjoint: speaks other versions; cut: ends in the
// middle of its list; grumpy: says something on stderr, exits with 5 after Goodbye; passed_on:
// speaks through somebody who passes on what it prints, and says why it is lost; ends_badly: after
// the last Run the program's end is a failure, p.exit; ends_lost: it kills itself there.
// What it does wrong as a server, by BEHAVIOUR: list_damaged: an exists packet of each List has a
// wrong checksum, list_damaged_once: of the first; list_done_damaged: the first List's Done has
// one; list_late: a List's last id comes after its Done; list_twice: each id is listed twice;
// no_done, wrong_done, damaged_done: a Run that has tests has none, one of another nonce, one that
// is damaged; stale: each Run has the route code of the first; floods: 20,000 errors before a Run's
// answer; stops: it stops itself at a Run; stubborn: it tells its process id, and neither signals
// that can be ignored, Goodbye nor the end of its input end it. An id that ends in late has its
// traceback after its final status.
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "protocol/rpc_packet.hpp"
#include "protocol/server_session.hpp"

using namespace hearth::protocol;

namespace {

constexpr Timestamp when{std::chrono::seconds(1'800'000'000)};
constexpr std::string_view text_type = "text/plain;charset=utf8";

class FakeServer {
 public:
  FakeServer(std::string behaviour, std::vector<std::string> ids)
      : m_behaviour(std::move(behaviour)),
        m_ids(std::move(ids)),
        m_session(m_behaviour == "disjoint" ? VersionRange{9, 8} : supported_versions) {}

  int serve() {
    if (m_behaviour == "mute") return 3;
    if (m_behaviour == "silent") pause();
    if (m_behaviour == "passed_on") {
      pass_on("stdout", "a line\nhalf ");
      pass_on("stderr", "no newline");
      pass_on("stdout", "and half\n");
    }
    if (m_behaviour == "stubborn") {
      for (const int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, SIG_IGN);
      write_all(STDERR_FILENO, as_bytes("pid " + std::to_string(getpid()) + "\n"));
    }
    if (m_behaviour == "grumpy")
      write_all(STDERR_FILENO, as_bytes("grumpy\x1b today\nand no newline"));
    std::array<std::byte, 65536> buffer{};
    while (m_status < 0) {
      const auto size = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (size <= 0 && m_behaviour == "stubborn") pause();
      if (size <= 0) return 1;
      m_session.receive(std::span(buffer).first(static_cast<std::size_t>(size)));
      while (const auto event = m_session.next())
        std::visit([this](const auto& e) { on(e); }, *event);
      flush();
    }
    return m_status;
  }

 private:
  static void write_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
      const auto size = write(fd, bytes.data(), bytes.size());
      if (size <= 0) _exit(9);
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
  }
  void flush() {
    write_all(STDOUT_FILENO, m_session.output());
    m_session.consume(m_session.output().size());
  }

  static void pass_on(std::string_view file, std::string_view text) {
    Bytes packet;
    (void)encode({.test_id = rpc_test_id,
                  .mime_type = text_type,
                  .file_name = file,
                  .file_content = as_bytes(text)},
                 packet);
    write_all(STDOUT_FILENO, packet);
  }

  // What is written next has a wrong checksum.
  void flush_damaged() {
    Bytes bytes(m_session.output().begin(), m_session.output().end());
    bytes.back() ^= std::byte{1};
    write_all(STDOUT_FILENO, bytes);
    m_session.consume(bytes.size());
  }

  void on(const ListRequested& list) {
    const bool first = ++m_lists == 1;
    const bool damages =
        m_behaviour == "list_damaged" || (m_behaviour == "list_damaged_once" && first);
    std::string held_back;
    for (const auto& id : list.tests.value_or(m_ids)) {
      const bool by_name = id.ends_with("exit") || id.ends_with("teardown");
      if (id.ends_with("gone") || (!list.tests && by_name)) continue;
      if (m_behaviour == "list_late") {
        if (!held_back.empty()) m_session.exists(list.ordinal, held_back);
        held_back = id;
        continue;
      }
      if (damages) flush();
      m_session.exists(list.ordinal, id);
      if (damages && id == m_ids.front()) flush_damaged();
      if (m_behaviour == "list_twice") m_session.exists(list.ordinal, id);
    }
    if (m_behaviour == "cut") {
      flush();
      _exit(4);
    }
    const bool damages_done = m_behaviour == "list_done_damaged" && first;
    if (damages_done) flush();
    m_session.done(list.ordinal);
    if (damages_done) flush_damaged();
    if (!held_back.empty()) m_session.exists(list.ordinal, held_back);
  }

  void done(std::uint64_t ordinal, bool had_tests) {
    if (!had_tests) return m_session.done(ordinal);
    if (m_behaviour == "no_done") return;
    if (m_behaviour == "wrong_done") {
      Bytes packet;
      append_rpc_message(to_json(Done{"other"}), packet);
      flush();
      return write_all(STDOUT_FILENO, packet);
    }
    if (m_behaviour == "damaged_done") {
      flush();
      m_session.done(ordinal);
      return flush_damaged();
    }
    m_session.done(ordinal);
  }

  void on(RunRequested run) {
    const auto command = run.ordinal;
    if (m_first_run == 0) m_first_run = run.ordinal;
    if (m_behaviour == "stale") run.ordinal = m_first_run;
    if (m_behaviour == "stops") raise(SIGSTOP);
    for (int i = 0; i < 20'000 && m_behaviour == "floods"; ++i)
      m_session.report_error("nothing is wrong");
    if (m_behaviour == "falls") {
      flush();
      _exit(7);
    }
    bool done = true;
    if (m_behaviour == "deaf") {
      flush();
      pause();
    }
    for (const auto& id : run.tests.value_or(m_ids)) {
      if (id.ends_with("omit")) continue;
      const auto times = ++m_times[id.substr(id.find('.'))];
      m_session.started(run.ordinal, id, when);
      if (id.ends_with("hang")) {
        done = false;
        continue;
      }
      if (id.ends_with("lost")) {
        m_session.attach(run.ordinal, id, "stdout", text_type, as_bytes("last words"), false);
        flush();
        if (m_behaviour == "passed_on") pass_on("error", "the tunnel broke\nfor good\n");
        raise(SIGKILL);
      }
      if (id.ends_with("noise")) {
        flush();
        write_all(STDOUT_FILENO, as_bytes("noise\n"));
      }
      const bool fails = id.ends_with("fail") || (id.ends_with("flaky") && times == 1) ||
                         (id.ends_with("first") && times == 1) ||
                         (id.ends_with("later") && times == 2);
      if (fails) m_session.attach(run.ordinal, id, "traceback", text_type, as_bytes("why\n"), true);
      m_session.finished(run.ordinal, id, fails ? TestStatus::fail : TestStatus::success, when);
      if (id.ends_with("late"))
        m_session.attach(run.ordinal, id, "traceback", text_type, as_bytes("too late\n"), true);
      if (id.ends_with("twice")) m_session.finished(run.ordinal, id, TestStatus::success, when);
      if (id.ends_with("stray"))
        m_session.finished(run.ordinal, "nobody.asked", TestStatus::success, when);
    }
    m_owes_end = m_owes_end || !run.tests || !run.tests->empty();
    if (run.exit && std::exchange(m_owes_end, false) && m_behaviour.starts_with("ends_")) {
      if (m_behaviour == "ends_lost") raise(SIGKILL);
      m_session.attach(run.ordinal, "p.exit", "traceback", text_type, as_bytes("status 3\n"), true);
      m_session.finished(run.ordinal, "p.exit", TestStatus::fail, when);
    }
    if (done) this->done(command, !run.tests || !run.tests->empty());
  }

  void on(const ClientSaidGoodbye&) {
    if (m_behaviour == "stubborn") return;
    m_status = m_behaviour == "grumpy" ? 5 : 0;
  }
  void on(const SessionRefused&) { m_status = 6; }

  std::string m_behaviour;
  std::vector<std::string> m_ids;
  ServerSession m_session;
  std::map<std::string, int> m_times;  // tests run, by the ends of their ids
  bool m_owes_end = false;
  int m_lists = 0;
  std::uint64_t m_first_run = 0;
  int m_status = -1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 8;
  return FakeServer(argv[1], {argv + 2, argv + argc}).serve();
}
