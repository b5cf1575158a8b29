#include "transport/address.hpp"

#include <doctest/doctest.h>

using namespace hearth::transport;

TEST_CASE("Address: what is taken comes back as it was written") {
  for (const char* text :
       {"unix:/run/x/s", "unix:s", "unix:a b/c:d", "tcp:127.0.0.1:0", "tcp:127.0.0.1:65535"}) {
    const auto address = parse_address(text);
    REQUIRE(address);
    CHECK(to_text(*address) == text);
  }
}

TEST_CASE("Address: what is refused names the text and the way out") {
  for (const char* text :
       {"", "s", "/run/s", "unix:", "unix:/run/", "tcp:", "tcp:1234", "tcp:127.0.0.1",
        "tcp:127.0.0.1:", "tcp:127.0.0.1:x", "tcp:127.0.0.1:65536", "tcp:127.0.0.1:-1",
        "tcp:127.0.0.1:1 ", "tcp:0.0.0.0:1", "tcp:localhost:1", "TCP:127.0.0.1:1"}) {
    CAPTURE(text);
    const auto address = parse_address(text);
    REQUIRE(!address);
    CHECK(address.error().text().find("'" + std::string(text) + "'") != std::string::npos);
    CHECK(!address.error().remedy.empty());
  }
  CHECK(!parse_address(std::string_view("unix:a\0b", 8)));
}

TEST_CASE("Address: absolute paths stay, relative ones are those of the working directory") {
  CHECK(to_text(absolute(UnixAddress{"/run/s"})) == "unix:/run/s");
  CHECK(to_text(absolute(UnixAddress{"s"})).substr(0, 6) == "unix:/");
  CHECK(to_text(absolute(TcpAddress{7})) == "tcp:127.0.0.1:7");
}
