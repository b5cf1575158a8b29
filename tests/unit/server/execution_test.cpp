#include "server/execution.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "tests/unit/protocol/session_support.hpp"
#include "worker.pb.h"

using namespace hearth;
using namespace hearth::server;
using protocol::ServerSession;
using protocol::TestStatus;
using protocol::test::Lines;
using namespace std::chrono_literals;

namespace {

constexpr protocol::Timestamp noon{std::chrono::seconds(1'800'000'000)};
constexpr char text_type[] = "(text/plain;charset=utf8)";

// An execution, and the other ends of its pipes.
struct Fixture {
  explicit Fixture(std::uint64_t limit = 1 << 20) {
    session.receive(protocol::test::rpc(protocol::Hello{}));
    CHECK_FALSE(session.next());
    session.consume(session.output().size());
    execution.emplace(ResultTarget{&session, 3, "p.test"}, *make_execution_pipes(), limit);
    take_ends();
  }
  void take_ends() {
    auto theirs = execution->take_theirs();
    report = std::move(theirs[0]);
    out = std::move(theirs[1]);
    err = std::move(theirs[2]);
  }
  void close_ends() {
    report.reset();
    out.reset();
    err.reset();
  }

  void send(std::string_view packet) const {
    REQUIRE(::send(report.get(), packet.data(), packet.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(packet.size()));
  }
  void attach(const std::string& name, const std::string& content, bool last = false,
              const std::string& type = "text/plain;charset=utf8") const {
    worker::FromTest message;
    message.mutable_attachment()->set_name(name);
    message.mutable_attachment()->set_mime_type(type);
    message.mutable_attachment()->set_content(content);
    message.mutable_attachment()->set_last(last);
    send(message.SerializeAsString());
  }
  void give(worker::Verdict::Outcome outcome) const {
    worker::FromTest message;
    message.mutable_verdict()->set_outcome(outcome);
    send(message.SerializeAsString());
  }
  static void print(const UniqueFd& to, std::string_view text) {
    REQUIRE(write(to.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void begin() { execution->begin(noon, std::chrono::steady_clock::now()); }
  Lines end(int wait_status = 0) {
    close_ends();
    Evidence evidence;
    evidence.wait_status = wait_status;
    execution->end(evidence, noon + 1s);
    return protocol::test::sent(session);
  }

  ServerSession session;
  std::optional<Execution> execution;
  UniqueFd report, out, err;
};

const std::string prefix = "p.test @3 ";
std::string piece(const std::string& file, const std::string& text) {
  return prefix + "'" + file + "' " + text_type + ": " + text;
}
std::string end_of(const std::string& file) {
  return prefix + "'" + file + "' " + text_type + " EOF";
}
const std::string begun = "p.test inprogress @3";

}  // namespace

TEST_CASE("Execution: a pass, with what it printed, attached and recorded") {
  Fixture fixture;
  fixture.begin();
  fixture.print(fixture.out, "printed");
  fixture.print(fixture.err, "complained");
  fixture.attach("log", "one ");
  fixture.attach("log", "two", true);
  worker::FromTest message;
  message.mutable_verdict()->set_outcome(worker::Verdict::SUCCESS);
  auto& property = *message.mutable_verdict()->add_property();
  property.set_key("colour");
  property.set_value("bl\xFFue");
  fixture.send(message.SerializeAsString());
  CHECK(fixture.end() ==
        Lines{begun, piece("log", "one "), piece("log", "two"), piece("stdout", "printed"),
              end_of("stdout"), piece("stderr", "complained"), end_of("stderr"), end_of("log"),
              prefix + "'properties' (application/json): {\"colour\":\"bl\\\\xFFue\"} EOF",
              "p.test success @3"});
}

TEST_CASE("Execution: without a verdict it fails, with how it ended") {
  Fixture fixture;
  fixture.begin();
  fixture.attach("traceback", "said before\n");
  CHECK(fixture.end(6) == Lines{begun, piece("traceback", "said before\n"),
                                piece("traceback",
                                      "The test's process was killed by signal 6 (SIGABRT) before "
                                      "the test had a verdict.\n"),
                                end_of("traceback"), "p.test fail @3"});
}

TEST_CASE("Execution: one that never began has no inprogress") {
  Fixture fixture;
  const Lines lines = fixture.end(9);
  CHECK(lines.front() != begun);
  CHECK(lines.back() == "p.test fail @3");
}

TEST_CASE("Execution: a failure or a skip without a word gets one") {
  Fixture failure;
  failure.begin();
  failure.give(worker::Verdict::FAIL);
  CHECK(failure.end() == Lines{begun, piece("traceback", "The test failed and said no more.\n"),
                               end_of("traceback"), "p.test fail @3"});
  Fixture skip;
  skip.begin();
  skip.give(worker::Verdict::SKIP);
  CHECK(skip.end() == Lines{begun, piece("reason", "The test gave no reason.\n"), end_of("reason"),
                            "p.test skip @3"});
}

TEST_CASE("Execution: only the first verdict counts") {
  Fixture fixture;
  fixture.begin();
  fixture.give(worker::Verdict::XFAIL);
  fixture.give(worker::Verdict::SUCCESS);
  CHECK(fixture.end() == Lines{begun, "p.test xfail @3"});
}

TEST_CASE("Execution: what its process finds out after the verdict is attached, and can fail it") {
  Fixture fixture;
  fixture.begin();
  fixture.give(worker::Verdict::SUCCESS);
  fixture.attach("traceback", "leaked");
  fixture.give(worker::Verdict::FAIL);
  fixture.give(worker::Verdict::SUCCESS);
  CHECK(fixture.end() == Lines{begun, piece("traceback", "leaked"),
                               end_of("traceback"), "p.test fail @3"});
}

TEST_CASE("Execution: garbage on the report channel makes no pass") {
  Fixture fixture;
  fixture.begin();
  fixture.send(std::string("\xFF\xFF\xFF garbage"));
  fixture.give(worker::Verdict::SUCCESS);
  CHECK(fixture.end().back() == "p.test fail @3");
  Fixture unknown;
  unknown.begin();
  worker::FromTest message;
  message.mutable_verdict();
  unknown.send(message.SerializeAsString());
  CHECK(unknown.end().back() == "p.test fail @3");
}

TEST_CASE("Execution: a test's attachments do not mix with the server's own") {
  Fixture fixture;
  fixture.begin();
  fixture.print(fixture.out, "printed");
  fixture.attach("stdout", "attached", true);
  fixture.attach("", "nameless", true);
  fixture.attach("bin\xFF", std::string("\0\xFF", 2), true, "application/octet-stream");
  fixture.give(worker::Verdict::SUCCESS);
  const Lines lines = fixture.end();
  CHECK(std::count(lines.begin(), lines.end(), piece("stdout", "printed")) == 1);
  CHECK(std::count(lines.begin(), lines.end(), piece("stdout.attached", "attached")) == 1);
  CHECK(std::count(lines.begin(), lines.end(), piece("attachment", "nameless")) == 1);
  const std::string octets =
      prefix + "'bin\\xFF' (application/octet-stream): " + std::string("\0\xFF", 2);
  CHECK(std::count(lines.begin(), lines.end(), octets) == 1);
  CHECK(lines.back() == "p.test success @3");
}

TEST_CASE("Execution: what a test attaches is bounded, and said to be cut") {
  Fixture fixture(1000);
  fixture.begin();
  for (int i = 0; i < 50; ++i) {
    fixture.attach("log", std::string(100, 'x'));
    fixture.attach("name " + std::to_string(i), "");
    fixture.attach("log", "");
  }
  fixture.give(worker::Verdict::SUCCESS);
  const Lines lines = fixture.end();
  std::size_t size = 0;
  for (const std::string& line : lines) size += line.size();
  CHECK(size < 4000);
  CHECK(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("bytes more were attached") != line.npos;
  }));
  CHECK(lines.back() == "p.test success @3");
}

TEST_CASE("Execution: run once more, it is one execution to the client") {
  Fixture fixture;
  fixture.begin();
  fixture.print(fixture.out, "first \xC3");
  fixture.attach("log", "of the first");
  fixture.give(worker::Verdict::SUCCESS);
  fixture.close_ends();
  fixture.execution->restart(*make_execution_pipes(), "It was lost");
  fixture.take_ends();
  CHECK_FALSE(fixture.execution->begun());
  fixture.execution->begin(noon + 5s, std::chrono::steady_clock::now());
  fixture.print(fixture.out, "second");
  fixture.give(worker::Verdict::SUCCESS);
  const Lines lines = fixture.end();
  CHECK(lines.front() == begun);
  CHECK(std::count(lines.begin(), lines.end(), begun) == 1);
  CHECK(std::count(lines.begin(), lines.end(), piece("stdout", "first ")) == 1);
  CHECK(std::count(lines.begin(), lines.end(),
                   prefix + "'stdout.bin' (application/octet-stream): second") == 1);
  CHECK(std::count(lines.begin(), lines.end(),
                   piece("rerun", "It was lost while this test ran. It was run once more.\n")) ==
        1);
  CHECK(lines.back() == "p.test success @3");
}

TEST_CASE("Execution: run once more, what the lost process reported does not count") {
  Fixture fixture;
  fixture.begin();
  fixture.give(worker::Verdict::SUCCESS);
  fixture.close_ends();
  fixture.execution->timed_out(1s);
  fixture.execution->restart(*make_execution_pipes(), "It was lost");
  fixture.take_ends();
  fixture.begin();
  fixture.give(worker::Verdict::SKIP);
  CHECK(fixture.end().back() == "p.test skip @3");
}

TEST_CASE(
    "Execution: watched, its output is sent while it runs, and its own ends may close first") {
  asio::io_context io;
  Fixture fixture;
  fixture.begin();
  fixture.execution->watch(io);
  fixture.execution->watch(io);
  fixture.print(fixture.out, "early");
  io.run_one();
  io.poll();
  CHECK(protocol::test::sent(fixture.session) == Lines{begun, piece("stdout", "early")});
  for (const char* const text : {"one ", "two ", "three"}) {
    fixture.print(fixture.out, text);
    io.poll();
  }
  CHECK(protocol::test::sent(fixture.session).empty());  // drops wait for each other
  fixture.execution->watch(io);
  io.poll();
  CHECK(protocol::test::sent(fixture.session) == Lines{piece("stdout", "one two three")});
  fixture.give(worker::Verdict::SUCCESS);
  fixture.close_ends();
  io.run();
  CHECK(fixture.end() == Lines{end_of("stdout"), "p.test success @3"});
  io.restart();
  io.run();
}

TEST_CASE("Execution: a clock that was set back does not show in the result") {
  Fixture fixture;
  fixture.execution->begin(noon + 10s, std::chrono::steady_clock::now());
  fixture.give(worker::Verdict::SUCCESS);
  fixture.close_ends();
  Evidence evidence;
  evidence.wait_status = 0;
  fixture.execution->end(evidence, noon);
  protocol::PacketDecoder decoder;
  decoder.feed(fixture.session.output());
  std::optional<protocol::Timestamp> last;
  while (const auto event = decoder.next()) {
    const auto& packet = std::get<protocol::PacketView>(*event);
    if (!packet.timestamp) continue;
    CHECK((!last || *packet.timestamp >= *last));
    last = packet.timestamp;
  }
  CHECK(last == noon + 10s);
}
