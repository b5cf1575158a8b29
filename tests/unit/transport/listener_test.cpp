#include "transport/listener.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.hpp"
#include "transport/address_lock.hpp"
#include "transport/connect.hpp"

using namespace hearth::transport;
using hearth::UniqueFd;
using hearth::test::TemporaryFolder;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

void check_connection(Listener& listener) {
  auto client = connect(listener.address());
  REQUIRE(client);
  auto server = listener.accept();
  REQUIRE(server);
  REQUIRE(*server);
  CHECK(fcntl((*server)->get(), F_GETFD) == FD_CLOEXEC);
  CHECK((fcntl((*server)->get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(client->get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK(write(client->get(), "x", 1) == 1);
  client->reset();
  char byte = 0;
  CHECK(read((*server)->get(), &byte, 1) == 1);
  const auto nobody = listener.accept();
  REQUIRE(nobody);
  CHECK(!*nobody);
}

}  // namespace

TEST_CASE(
    "Listener: a Unix socket is private, in a folder that is made private, and goes with its "
    "listener") {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "made" / "here" / "socket";
  {
    auto listener = Listener::open(UnixAddress{path});
    REQUIRE(listener);
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(folder.path() / "made" / "here") == 0700);
    check_connection(*listener);
  }
  CHECK(mode_of(path) == 0);
  const auto gone = connect(UnixAddress{path});
  REQUIRE(!gone);
  CHECK(gone.error().absent);
  CHECK(gone.error().error.text().find("hearth serve --listen") != std::string::npos);
}

TEST_CASE(
    "Listener: takes the place of a socket that was left, and leaves the one that took its own") {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "socket";
  auto first = std::make_unique<Listener>(std::move(*Listener::open(UnixAddress{path})));
  auto second = Listener::open(UnixAddress{path});
  REQUIRE(second);
  first.reset();
  check_connection(*second);
}

TEST_CASE("Listener: paths may be longer than a socket's name") {
  const TemporaryFolder folder;
  std::string path = folder.path();
  for (int level = 0; level < 5; ++level) path += '/' + std::string(100, 'd');
  for (const std::size_t length : {1, 60, 80}) {
    auto listener = Listener::open(UnixAddress{path + '/' + std::string(length, 's')});
    REQUIRE(listener);
    check_connection(*listener);
  }
}

TEST_CASE("Listener: a folder that others may enter is refused, with a way out") {
  const TemporaryFolder folder;
  for (const mode_t mode : {0755, 0710, 0701, 0777}) {
    chmod(folder.path().c_str(), mode);
    const auto listener = Listener::open(UnixAddress{folder.path() / "socket"});
    REQUIRE(!listener);
    CHECK(listener.error().text().find("chmod 700") != std::string::npos);
  }
  chmod(folder.path().c_str(), 0700);
  CHECK(Listener::open(UnixAddress{folder.path() / "socket"}));
}

TEST_CASE("Listener: TCP is on loopback, at a port that it says") {
  auto listener = Listener::open(TcpAddress{0});
  REQUIRE(listener);
  const auto port = std::get<TcpAddress>(listener->address()).port;
  CHECK(port != 0);
  check_connection(*listener);
  const auto second = Listener::open(TcpAddress{port});
  REQUIRE(!second);
  CHECK(second.error().text().find("choose another port") != std::string::npos);
}

TEST_CASE("Listener: another user's connection is refused" * doctest::skip(geteuid() != 0)) {
  const TemporaryFolder folder;
  auto listener = Listener::open(UnixAddress{folder.path() / "socket"});
  REQUIRE(listener);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int inside = open(folder.path().c_str(), O_PATH | O_DIRECTORY);
  chmod(folder.path().c_str(), 0777);
  chmod((folder.path() / "socket").c_str(), 0777);
  const pid_t child = fork();
  if (child == 0) {
    const bool other = setresuid(65534, 65534, 65534) == 0;
    const auto connected = connect(UnixAddress{folder.path() / "socket"});
    _exit(other && !connected && !connected.error().absent ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(inside);
  CHECK(status == 0);  // it found the server to be another user's
  const auto refused = listener->accept();
  REQUIRE(!refused);
  CHECK(refused.error().text().find("65534") != std::string::npos);
}

TEST_CASE("Lock: one holder, until its last process has gone") {
  const TemporaryFolder folder;
  const Address address = UnixAddress{folder.path() / "socket"};
  auto lock = AddressLock::take(address);
  REQUIRE(lock);
  REQUIRE(*lock);
  int held[2];
  REQUIRE(pipe(held) == 0);
  const pid_t child = fork();
  if (child == 0) {  // holds it too
    close(held[1]);
    char byte = 0;
    _exit(static_cast<int>(read(held[0], &byte, 1)));
  }
  lock->reset();
  CHECK(!*AddressLock::take(address));
  close(held[1]);
  int status = 0;
  waitpid(child, &status, 0);
  {
    const auto last = AddressLock::take(address);
    CHECK(*last);
    CHECK(mode_of(folder.path() / "socket.lock") == 0600);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("Lock: one holder, however many take it and remove its file") {
  const TemporaryFolder folder;
  const Address address = UnixAddress{folder.path() / "socket"};
  std::atomic<int> holders = 0;
  std::atomic<int> taken = 0;
  std::atomic<bool> shared = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (taken < 2000) {
        const auto lock = AddressLock::take(address);
        if (!lock || !*lock) continue;
        ++taken;
        if (++holders > 1) shared = true;
        std::this_thread::yield();
        --holders;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(!shared);
  CHECK(std::filesystem::is_empty(folder.path()));
}
