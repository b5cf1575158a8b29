#include "protocol/goodbye_watch.hpp"

#include <doctest/doctest.h>

#include "protocol/rpc_packet.hpp"

using namespace hearth::protocol;

namespace {

Bytes message(std::string_view json) {
  Bytes bytes;
  append_rpc_message(json, bytes);
  return bytes;
}

bool hears(const Bytes& bytes, std::size_t step) {
  GoodbyeWatch watch;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    watch.feed(ByteView(bytes).subspan(at, std::min(step, bytes.size() - at)));
  }
  return watch.seen();
}

}  // namespace

TEST_CASE("GoodbyeWatch: hears a Goodbye, however it comes, and nothing else") {
  for (const std::size_t step : {1, 10'000}) {
    CHECK(hears(message(R"({"msg": "Goodbye"})"), step));
    CHECK(hears(message(R"({ "why":1, "msg" : "Goodbye" })"), step));
    CHECK_FALSE(hears(message(R"({"msg": "Run", "tests": ["Goodbye"], "nonce": "msg"})"), step));
    CHECK_FALSE(hears(message(R"({"msg": "List", "nonce": "Goodbye"})"), step));
    CHECK_FALSE(hears(message(R"({"msg")"), step));
  }
}

TEST_CASE("GoodbyeWatch: a message in several packets without an end") {
  Bytes session = message(R"({"msg": "Hello", "min": 1, "max": 1})");
  for (const std::string_view piece : {R"({"msg": "Good)", R"(bye"})"}) {
    REQUIRE(encode({.test_id = rpc_test_id,
                    .mime_type = rpc_mime_type,
                    .file_name = "message",
                    .file_content = as_bytes(piece)},
                   session));
  }
  CHECK(hears(session, 3));
}

TEST_CASE("GoodbyeWatch: hears it behind much else, and behind bytes that are no packet") {
  const std::vector<std::string> many(100'000, "a long enough id");
  Bytes session = message(to_json(Hello{}));
  append_rpc_message(to_json(Run{many, "n"}), session);
  const ByteView text = as_bytes("Goodbye\n");
  session.insert(session.end(), text.begin(), text.end());
  for (const std::size_t step : {std::size_t{1000}, session.size()}) {
    CHECK_FALSE(hears(session, step));
    Bytes whole = session;
    append_rpc_message(to_json(Goodbye{}), whole);
    CHECK(hears(whole, step));
  }
}
