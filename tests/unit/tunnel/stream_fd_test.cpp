#include "tunnel/stream_fd.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "tunnel/raw_terminal.hpp"

using namespace hearth;
using namespace hearth::tunnel;

namespace {

struct Pair {
  UniqueFd in;   // is read
  UniqueFd out;  // is written
};

Pair make_pipe() {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Pair make_sockets() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The slave is in raw mode.
Pair make_terminal() {
  Pair pair;
  pair.in = UniqueFd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(grantpt(pair.in.get()) == 0);
  REQUIRE(unlockpt(pair.in.get()) == 0);
  pair.out = UniqueFd(open(ptsname(pair.in.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(pair.out);
  termios settings{};
  REQUIRE(tcgetattr(pair.out.get(), &settings) == 0);
  cfmakeraw(&settings);
  REQUIRE(tcsetattr(pair.out.get(), TCSANOW, &settings) == 0);
  return pair;
}

bool is_blocking(const UniqueFd& fd) {
  return (fcntl(fd.get(), F_GETFL) & O_NONBLOCK) == 0;
}

std::size_t fill(StreamFd& fd) {
  const std::vector<std::byte> bytes(10'000);
  std::size_t sum = 0;
  for (;;) {
    const auto sent = fd.write(bytes);
    REQUIRE(!sent.over);
    if (sent.size == 0) return sum;
    sum += sent.size;
  }
}

}  // namespace

TEST_CASE("Stream descriptor: an inherited one never waits, and stays as it was") {
  for (const auto make : {make_pipe, make_sockets, make_terminal}) {
    const Pair pair = make();
    auto reader = StreamFd::borrow(pair.in.get(), Direction::in);
    auto writer = StreamFd::borrow(pair.out.get(), Direction::out);
    std::array<std::byte, 4'096> buffer;
    CHECK(reader.read(buffer).size == 0);
    CHECK(!reader.read(buffer).over);
    const std::size_t sent = fill(writer);
    CHECK(sent > 0);
    std::size_t received = 0;
    while (received < sent) {
      const auto got = reader.read(buffer);
      REQUIRE(!got.over);
      received += got.size;
    }
    CHECK(received == sent);
    CHECK(is_blocking(pair.in));
    CHECK(is_blocking(pair.out));
  }
}

TEST_CASE("Stream descriptor: ends") {
  for (const auto make : {make_pipe, make_sockets, make_terminal}) {
    Pair pair = make();
    auto reader = StreamFd::borrow(pair.in.get(), Direction::in);
    pair.out.reset();
    std::array<std::byte, 16> buffer;
    CHECK(reader.read(buffer).over);
  }
}

TEST_CASE("Stream descriptor: a file goes on where it is") {
  UniqueFd file(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return;  // not on this filesystem
  REQUIRE(write(file.get(), "abcdef", 6) == 6);
  REQUIRE(lseek(file.get(), 2, SEEK_SET) == 2);
  auto reader = StreamFd::borrow(file.get(), Direction::in);
  std::array<std::byte, 16> buffer;
  CHECK(reader.read(buffer).size == 4);
  CHECK(std::memcmp(buffer.data(), "cdef", 4) == 0);
  CHECK(reader.read(buffer).over);
}

TEST_CASE("Stream descriptor: a Ctrl-D on a cooked terminal is not its end") {
  const Pair pair = make_terminal();
  termios settings{};
  REQUIRE(tcgetattr(pair.out.get(), &settings) == 0);
  settings.c_lflag |= ICANON;
  REQUIRE(tcsetattr(pair.out.get(), TCSANOW, &settings) == 0);
  auto reader = StreamFd::borrow(pair.out.get(), Direction::in);
  REQUIRE(write(pair.in.get(), "\x04x\n", 3) == 3);
  std::array<std::byte, 16> buffer;
  const auto first = reader.read(buffer);
  CHECK(first.size == 0);
  CHECK(!first.over);
  CHECK(reader.read(buffer).size == 2);
}

TEST_CASE("Raw terminal: is restored") {
  const Pair pair = make_terminal();
  termios settings{};
  REQUIRE(tcgetattr(pair.out.get(), &settings) == 0);
  settings.c_lflag |= ICANON | ECHO | ISIG;
  settings.c_iflag |= ICRNL | IXON;
  settings.c_oflag |= OPOST | ONLCR;
  REQUIRE(tcsetattr(pair.out.get(), TCSANOW, &settings) == 0);
  termios now{};
  {
    RawTerminal raw(pair.out.get());
    REQUIRE(tcgetattr(pair.out.get(), &now) == 0);
    CHECK((now.c_lflag & (ICANON | ECHO | ISIG)) == 0);
    CHECK((now.c_iflag & (ICRNL | IXON)) == 0);
    CHECK((now.c_oflag & OPOST) == 0);
    CHECK(now.c_cflag == settings.c_cflag);
  }
  REQUIRE(tcgetattr(pair.out.get(), &now) == 0);
  CHECK(now.c_lflag == settings.c_lflag);
  CHECK(now.c_iflag == settings.c_iflag);
  CHECK(now.c_oflag == settings.c_oflag);
}
