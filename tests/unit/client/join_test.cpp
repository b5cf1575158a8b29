#include "client/attach/join.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "protocol/rpc_message.hpp"
#include "protocol/rpc_packet.hpp"

using namespace hearth;
using namespace hearth::client;

namespace {

std::string message(const protocol::Message& message) {
  protocol::Bytes bytes;
  protocol::append_rpc_message(to_json(message), bytes);
  return std::string(protocol::as_text(bytes));
}

FdPair open_pair(bool socket) {
  std::array<int, 2> ends{};
  if (socket)
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  else
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Until the end of the file, or `limit` bytes.
std::string read_all(int fd, std::size_t limit = std::string::npos) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() < limit) {
    const auto size = read(fd, buffer.data(), std::min(buffer.size(), limit - text.size()));
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

void write_all_of(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto size = write(fd, text.data(), text.size());
    REQUIRE(size > 0);
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

// A join whose client and server are the test. Its stdin and stdout are pipes, or one socket each.
struct Joined {
  explicit Joined(bool sockets = false, std::string first = {})
      : in(open_pair(sockets)), out(open_pair(sockets)), connection(open_pair(true)) {
    thread = std::thread([this, first] {
      end = Join(in.ours.get(), out.theirs.get(), std::move(connection.ours), first).run();
      out.theirs.reset();
    });
  }
  JoinEnd wait() {
    thread.join();
    return end;
  }
  [[nodiscard]] int client_in() const { return in.theirs.get(); }
  [[nodiscard]] int client_out() const { return out.ours.get(); }
  [[nodiscard]] int server() const { return connection.theirs.get(); }

  FdPair in, out, connection;
  JoinEnd end;
  std::thread thread;
};

}  // namespace

TEST_CASE("Join: both directions, and the server's end after a Goodbye") {
  for (const bool sockets : {false, true}) {
    Joined joined(sockets);
    const auto said = message(protocol::Hello{}) + message(protocol::Goodbye{});
    write_all_of(joined.client_in(), said);
    CHECK(read_all(joined.server(), said.size()) == said);
    write_all_of(joined.server(), "answer");
    joined.connection.theirs.reset();
    CHECK(read_all(joined.client_out()) == "answer");
    const auto end = joined.wait();
    CHECK(end.goodbye);
    CHECK(end.server_spoke);
    CHECK_FALSE(end.client_ended);
    CHECK_FALSE(end.replayable);
    for (const int fd : {joined.in.ours.get(), joined.in.theirs.get(), joined.out.ours.get()})
      CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
  }
}

TEST_CASE(
    "Join: the end of the client's stream is passed on, and what the server says then comes") {
  Joined joined;
  write_all_of(joined.client_in(), "some");
  joined.in.theirs.reset();
  CHECK(read_all(joined.server()) == "some");
  write_all_of(joined.server(), "late");
  joined.connection.theirs.reset();
  CHECK(read_all(joined.client_out()) == "late");
  const auto end = joined.wait();
  CHECK(end.client_ended);
  CHECK_FALSE(end.goodbye);
}

TEST_CASE("Join: who does not read stops his own direction, and loses nothing") {
  for (const bool sockets : {false, true}) {
    Joined joined(sockets);
    const std::string much(std::size_t{8} << 20, 'x');
    std::thread writes_client([&] { write_all_of(joined.server(), much + "end"); });
    // The other direction goes on meanwhile, many times over.
    for (int i = 0; i < 20; ++i) {
      write_all_of(joined.client_in(), std::string(100'000, 'y'));
      CHECK(read_all(joined.server(), 100'000).size() == 100'000);
    }
    CHECK(read_all(joined.client_out(), much.size() + 3) == much + "end");
    writes_client.join();
    std::thread writes_server([&] { write_all_of(joined.client_in(), much); });
    CHECK(read_all(joined.server(), much.size()) == much);
    writes_server.join();
    joined.connection.theirs.reset();
    CHECK(joined.wait().client_reads);
  }
}

TEST_CASE("Join: a client that reads no more ends it") {
  Joined joined;
  joined.out.ours.reset();
  CHECK_FALSE(joined.wait().client_reads);
}

TEST_CASE("Join: what was said to a server that never answered can be said to another") {
  Joined first;
  write_all_of(first.client_in(), "hello");
  CHECK(read_all(first.server(), 5) == "hello");
  first.connection.theirs.reset();
  const auto end = first.wait();
  CHECK(end.replayable);
  CHECK(end.sent == "hello");
  Joined second(false, end.sent);
  CHECK(read_all(second.server(), 5) == "hello");
  write_all_of(second.client_in(), " again");
  CHECK(read_all(second.server(), 6) == " again");
  second.connection.theirs.reset();
  CHECK(second.wait().sent == "hello again");
}
