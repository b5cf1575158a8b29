#include "server/worker_channel.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>

#include "server/spawn.hpp"
#include "worker.pb.h"

using namespace hearth;
using namespace hearth::server;

namespace {

worker::ToZygote numbered(std::uint64_t number) {
  worker::ToZygote message;
  message.mutable_kill()->set_execution(number);
  return message;
}

// The number in the next packet at the other end; nullopt: there is none.
std::optional<std::uint64_t> receive(int fd) {
  const PacketRead read = read_packet(fd);
  if (read.kind != PacketRead::Kind::packet) return std::nullopt;
  worker::ToZygote message;
  REQUIRE(message.ParseFromArray(read.bytes.data(), static_cast<int>(read.bytes.size())));
  return message.kill().execution();
}

void send_packet(int fd, std::string_view packet) {
  REQUIRE(send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(packet.size()));
}

struct Ends {
  Ends() : pair(*make_channel()) {}
  FdPair pair;
  asio::io_context io;
  std::vector<std::string> packets;
  int closed = 0;

  WorkerChannel::Events events() {
    return {[this](std::string_view packet) { packets.emplace_back(packet); },
            [this] { ++closed; }};
  }
  [[nodiscard]] int theirs() const { return pair.theirs.get(); }
};

}  // namespace

TEST_CASE("Worker channel: packets come whole and in order, then the end, once") {
  Ends ends;
  WorkerChannel channel(ends.io, std::move(ends.pair.ours), ends.events());
  send_packet(ends.theirs(), "one");
  send_packet(ends.theirs(), std::string(max_worker_packet, 'x'));
  ends.pair.theirs.reset();
  ends.io.run();
  REQUIRE(ends.packets.size() == 2);
  CHECK(ends.packets[0] == "one");
  CHECK(ends.packets[1].size() == max_worker_packet);
  CHECK(ends.closed == 1);
  channel.read_now();
  CHECK(ends.closed == 1);
}

TEST_CASE(
    "Worker channel: what a full queue does not take waits, and arrives in order with its "
    "descriptors") {
  Ends ends;
  WorkerChannel channel(ends.io, std::move(ends.pair.ours), ends.events());
  constexpr std::uint64_t count = 5000;
  for (std::uint64_t number = 1; number <= count; ++number) {
    std::vector<UniqueFd> descriptors;
    if (number % 1000 == 0) descriptors.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    channel.send(numbered(number), std::move(descriptors));
  }
  std::uint64_t expected = 1;
  int idle = 0;
  while (expected <= count && idle < 1000) {
    const auto got = receive(ends.theirs());
    if (got) {
      CHECK(*got == expected);
      ++expected;
      idle = 0;
    } else {
      ++idle;
      ends.io.run_one();
    }
  }
  CHECK(expected == count + 1);
  CHECK_FALSE(receive(ends.theirs()));
}

TEST_CASE("Worker channel: descriptors arrive with their packet") {
  Ends ends;
  WorkerChannel channel(ends.io, std::move(ends.pair.ours), ends.events());
  auto pipe = make_pipe();
  std::vector<UniqueFd> descriptors;
  descriptors.push_back(std::move(pipe->theirs));
  channel.send(numbered(1), std::move(descriptors));
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  REQUIRE(recvmsg(ends.theirs(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) == 1);
  REQUIRE(CMSG_FIRSTHDR(&header) != nullptr);
  int received = -1;
  std::memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof received);
  const UniqueFd writer(received);
  CHECK(write(writer.get(), "x", 1) == 1);
  CHECK(read(pipe->ours.get(), &byte, 1) == 1);
}

TEST_CASE("Worker channel: to a peer that is gone, or after close(), sending does nothing") {
  Ends ends;
  WorkerChannel channel(ends.io, std::move(ends.pair.ours), ends.events());
  ends.pair.theirs.reset();
  channel.send(numbered(1));
  ends.io.run();
  CHECK(ends.closed == 1);
  channel.send(numbered(2));
  channel.close();
  CHECK(ends.closed == 1);
}

TEST_CASE("Worker channel: it may be destroyed by its own callbacks") {
  for (const bool by_close : {false, true}) {
    Ends ends;
    std::unique_ptr<WorkerChannel> channel;
    const auto destroy = [&] { channel.reset(); };
    channel = std::make_unique<WorkerChannel>(
        ends.io, std::move(ends.pair.ours),
        WorkerChannel::Events{[&](std::string_view) { destroy(); }, [&] { destroy(); }});
    if (!by_close) {
      send_packet(ends.theirs(), "one");
      send_packet(ends.theirs(), "two");
    } else {
      ends.pair.theirs.reset();
    }
    ends.io.run();
    CHECK_FALSE(channel);
  }
}

TEST_CASE(
    "Worker channel: closed or destroyed with packets waiting, it lets go of their descriptors") {
  Ends ends;
  auto pipe = make_pipe();
  {
    WorkerChannel channel(ends.io, std::move(ends.pair.ours), ends.events());
    for (std::uint64_t number = 1; number <= 2000; ++number) channel.send(numbered(number));
    std::vector<UniqueFd> descriptors;
    descriptors.push_back(std::move(pipe->theirs));
    channel.send(numbered(0), std::move(descriptors));
    channel.close();
  }
  ends.io.run();
  char byte = 0;
  CHECK(read(pipe->ours.get(), &byte, 1) == 0);  // nobody has the other end
}

TEST_CASE("Readable descriptor: what the loop cannot watch is said to be closed") {
  asio::io_context io;
  ReadableFd closed(io, UniqueFd(), [] {});
  CHECK(closed.get() == -1);
  io.run();
}
