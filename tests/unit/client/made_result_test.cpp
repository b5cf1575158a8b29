#include "client/run/made_result.hpp"

#include <doctest/doctest.h>

#include "tests/unit/client/packets.hpp"

using namespace hearth::client;
using namespace hearth::protocol;

TEST_CASE("Made result: a whole packet that says which test, why, and on which route") {
  for (const auto& [id, route] :
       std::vector<std::pair<std::string, std::string>>{{"b", "2"}, {"c", ""}}) {
    const auto made = make_failure(id, route, "No result: lost\n", test::noon);
    const auto& packet = made.packet();
    CHECK(packet.test_id == id);
    CHECK(packet.route_code.value_or("") == route);
    CHECK(packet.status == TestStatus::fail);
    CHECK(packet.timestamp == test::noon);
    CHECK(packet.file_name == "traceback");
    CHECK(as_text(packet.file_content) == "No result: lost\n");
    CHECK(packet.eof);
    CHECK_FALSE(packet.wire.empty());
  }
}
