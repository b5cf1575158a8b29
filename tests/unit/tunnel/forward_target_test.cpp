#include "tunnel/forward_target.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

using namespace hearth;
using namespace hearth::tunnel;

TEST_CASE("Forward target: what is one, and what is wrong with others") {
  for (const char* good : {"127.0.0.1:1", "localhost:65535", "[::1]:80", "::1:80", "unix:/tmp/x"})
    CHECK_MESSAGE(check_target(good), good);
  const std::pair<std::string, std::string> others[] = {
      {"", "no port"},
      {"127.0.0.1", "no port"},
      {"127.0.0.1:", "from 1 to 65535"},
      {"127.0.0.1:0", "from 1 to 65535"},
      {"127.0.0.1:65536", "from 1 to 65535"},
      {"127.0.0.1:8x", "from 1 to 65535"},
      {"host.example:80", "names are not looked up"},
      {"unix:", "no path"},
      {"unix:" + std::string(108, 'p'), "longer than 107"},
      {"unix:/a\nb", "line end"},
      {"unix:" + std::string(600, 'p'), "too long"},
  };
  for (const auto& [target, cause] : others) {
    const auto checked = check_target(target);
    REQUIRE_MESSAGE(!checked, target);
    CHECK_MESSAGE(checked.error().text().find(cause) != std::string::npos, checked.error().text());
  }
}

TEST_CASE("Forward target: connects") {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(bind(listener.get(), plain, size) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  REQUIRE(getsockname(listener.get(), plain, &size) == 0);
  const auto fd = connect_to("localhost:" + std::to_string(ntohs(address.sin_port)));
  REQUIRE(fd);
  const UniqueFd accepted(accept(listener.get(), nullptr, nullptr));
  CHECK(accepted);
  CHECK(!connect_to("unix:/nonexistent/socket"));
}
