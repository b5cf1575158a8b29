#include "server/session_io.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "server/spawn.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/protocol/session_support.hpp"

using namespace hearth;
using namespace hearth::server;
using protocol::Bytes;
using protocol::test::Lines;
using protocol::test::rpc;
using End = SessionIo::End;

namespace {

struct Ends {
  UniqueFd to_server;
  UniqueFd from_server;
};

// A session on two descriptors, and what it asks for.
struct Fixture {
  Fixture(UniqueFd in, UniqueFd out)
      : session_io(io, std::move(in), std::move(out), session, events()) {
    signal(SIGPIPE, SIG_IGN);  // as the server does
  }

  SessionIo::Events events() {
    return {[this](protocol::ListRequested request) {
              asked.push_back("List " + std::to_string(request.ordinal));
            },
            [this](protocol::RunRequested request) {
              asked.push_back("Run " + std::to_string(request.ordinal));
            },
            [this](End end, const std::string&) { ends.push_back(end); }, [this] { ++rooms; },
            [this] { return may_pile_up; }};
  }
  // Turns the loop, as the server does, until `holds` or nothing more can happen.
  template <typename Holds>
  bool turn_until(const Holds& holds) {
    for (int turn = 0; turn < 10'000 && !holds(); ++turn) {
      io.restart();
      io.poll();
      session_io.flush();
    }
    return holds();
  }
  void turn() {
    turn_until([] { return false; });
  }

  asio::io_context io;
  protocol::ServerSession session;
  Lines asked;
  std::vector<End> ends;
  int rooms = 0;
  bool may_pile_up = true;
  SessionIo session_io;
};

FdPair make_sockets() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The pipes of a session: ours is what the client has.
struct Pipes {
  Pipes() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    server_in = UniqueFd(ends[0]);
    client_out = UniqueFd(ends[1]);
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    client_in = UniqueFd(ends[0]);
    server_out = UniqueFd(ends[1]);
  }
  UniqueFd server_in, client_out, client_in, server_out;
};

void write_all(int fd, const Bytes& bytes) {
  REQUIRE(write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

Bytes read_some(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  Bytes bytes(1 << 20);
  const ssize_t got = read(fd, bytes.data(), bytes.size());
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

const Bytes hello = rpc(protocol::Hello{});
const Bytes goodbye = rpc(protocol::Goodbye{});
const Bytes list = rpc(protocol::List{std::nullopt, "n"});
const std::string hello_json = R"({"msg":"Hello","max":1,"min":1})";

}  // namespace

TEST_CASE("Session on pipes: commands in, answers out, Goodbye ends it once") {
  Pipes pipes;
  Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
  fixture.session_io.start();
  for (const std::byte byte : protocol::test::joined({hello, list})) {
    write_all(pipes.client_out.get(), {byte});
    fixture.io.poll();
    fixture.io.restart();
    fixture.session_io.flush();
  }
  REQUIRE(fixture.turn_until([&] { return !fixture.asked.empty(); }));
  CHECK(fixture.asked == Lines{"List 1"});
  fixture.session.exists(1, "a");
  fixture.session.done(1);
  fixture.turn();
  CHECK(protocol::test::described(read_some(pipes.client_in.get())) ==
        Lines{hello_json, "a exists @1", R"({"msg":"Done","nonce":"n"})"});
  write_all(pipes.client_out.get(), protocol::test::joined({goodbye, list, goodbye}));
  fixture.turn();
  CHECK(fixture.ends == std::vector{End::goodbye});
  CHECK(fixture.asked.size() == 1);
}

TEST_CASE("Session on sockets: end of file is a lost client, once") {
  FdPair in = make_sockets();
  FdPair out = make_sockets();
  Fixture fixture(std::move(in.theirs), std::move(out.theirs));
  fixture.session_io.start();
  write_all(in.ours.get(), hello);
  in.ours.reset();
  fixture.turn();
  CHECK(fixture.ends == std::vector{End::lost});
  CHECK(protocol::test::described(read_some(out.ours.get())) == Lines{hello_json});
}

TEST_CASE("Session: versions without one in common end it") {
  Pipes pipes;
  Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
  fixture.session_io.start();
  write_all(pipes.client_out.get(), rpc(protocol::Hello{{9, 7}}));
  fixture.turn();
  CHECK(fixture.ends == std::vector{End::refused});
  fixture.session_io.flush_finally(std::chrono::steady_clock::now() + std::chrono::seconds(2));
  CHECK(protocol::test::described(read_some(pipes.client_in.get())) == Lines{hello_json});
}

TEST_CASE("Session: a client that is gone is lost, also where only its reading end is") {
  Pipes pipes;
  Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
  fixture.session_io.start();
  pipes.client_in.reset();
  write_all(pipes.client_out.get(), hello);
  fixture.turn();
  CHECK(fixture.ends == std::vector{End::lost});
}

TEST_CASE("Session: Goodbye counts, whether the client reads on or not") {
  Pipes pipes;
  Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
  fixture.session_io.start();
  pipes.client_in.reset();
  write_all(pipes.client_out.get(), protocol::test::joined({hello, goodbye}));
  fixture.turn();
  CHECK(fixture.ends == std::vector{End::goodbye});
}

TEST_CASE("Session on files: read to the end, written as a whole") {
  const test::TemporaryFolder folder;
  const auto script = protocol::test::joined({hello, list});
  const auto in_path =
      folder.write("in", std::string(reinterpret_cast<const char*>(script.data()), script.size()));
  const auto out_path = folder.write("out", "");
  Fixture fixture(UniqueFd(open(in_path.c_str(), O_RDONLY | O_CLOEXEC)),
                  UniqueFd(open(out_path.c_str(), O_WRONLY | O_CLOEXEC)));
  fixture.session_io.start();
  fixture.turn();
  CHECK(fixture.asked == Lines{"List 1"});
  CHECK(fixture.ends == std::vector{End::lost});
  const UniqueFd out(open(out_path.c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(protocol::test::described(read_some(out.get())) == Lines{hello_json});
}

TEST_CASE("Session on /dev/null: it ends, and loses nothing by what it writes") {
  Fixture fixture(UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)),
                  UniqueFd(open("/dev/null", O_WRONLY | O_CLOEXEC)));
  fixture.session_io.start();
  fixture.session.report_error("for nobody");
  fixture.turn();
  CHECK(fixture.ends == std::vector{End::lost});
  CHECK(fixture.session.output().empty());
}

TEST_CASE("Session: a client that does not read has no room, and is not heard for ever") {
  Pipes pipes;
  Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
  fixture.session_io.start();
  write_all(pipes.client_out.get(), hello);
  fixture.turn();
  CHECK(has_room(fixture.session));
  const std::string text(1 << 20, 'x');
  for (int i = 0; i < 12; ++i) fixture.session.report_error(text);
  fixture.turn();
  CHECK_FALSE(has_room(fixture.session));
  write_all(pipes.client_out.get(), list);
  fixture.turn();
  CHECK(fixture.asked.size() == 1);  // heard: there is little to pile up

  fixture.may_pile_up = false;
  write_all(pipes.client_out.get(), list);
  fixture.turn();
  write_all(pipes.client_out.get(), list);
  fixture.turn();
  CHECK(fixture.asked.size() < 3);
  std::size_t read = 0;
  fixture.turn_until([&] {
    read += read_some(pipes.client_in.get()).size();
    return fixture.asked.size() == 3;
  });
  CHECK(fixture.asked.size() == 3);
  CHECK(read > 3 << 20);
  CHECK(fixture.rooms == 1);
}

TEST_CASE("Session: the descriptors' other holders keep their flags") {
  Pipes pipes;
  const UniqueFd in(fcntl(pipes.server_in.get(), F_DUPFD_CLOEXEC, 3));
  const UniqueFd out(fcntl(pipes.server_out.get(), F_DUPFD_CLOEXEC, 3));
  Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
  CHECK((fcntl(in.get(), F_GETFL) & O_NONBLOCK) == 0);
  CHECK((fcntl(out.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE(
    "Session suspended: it waits for signals and for the client to leave, not for what it says") {
  const auto hear = [](const auto& happen) {
    Pipes pipes;
    FdPair signals = *make_pipe();
    Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
    write_all(pipes.client_out.get(), hello);
    happen(pipes, signals);
    return fixture.session_io.wait_for_end(signals.ours.get());
  };
  CHECK_FALSE(hear([](Pipes&, FdPair& signals) { write_all(signals.theirs.get(), hello); }));
  CHECK(hear([](Pipes& pipes, FdPair&) { pipes.client_out.reset(); }));
  CHECK(hear([](Pipes& pipes, FdPair&) { pipes.client_in.reset(); }));
}

TEST_CASE("Session: several packets that were cut off are given up after one silence") {
  Pipes pipes;
  Fixture fixture(std::move(pipes.server_in), std::move(pipes.server_out));
  fixture.session_io.start();
  const Bytes cut_off{std::byte{0xb3}, std::byte{0x28}, std::byte{0x40},
                      std::byte{0x90}, std::byte{0},    std::byte{0}};
  write_all(pipes.client_out.get(), protocol::test::joined({hello, cut_off, cut_off, cut_off}));
  write_all(pipes.client_out.get(), list);
  const auto guard = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (fixture.asked.empty() && std::chrono::steady_clock::now() < guard)
    fixture.io.run_one_until(guard);
  CHECK(fixture.asked == Lines{"List 1"});
  fixture.session.done(1);
  fixture.turn();
  CHECK(protocol::test::described(read_some(pipes.client_in.get())) ==
        Lines{hello_json, "error", R"({"msg":"Done","nonce":"n"})"});
}
