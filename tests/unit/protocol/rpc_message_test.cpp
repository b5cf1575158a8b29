#include "protocol/rpc_message.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/protocol/rpc_vectors.hpp"

using namespace hearth::protocol;
using namespace std::string_literals;

namespace {

MessageError refused(std::string_view json) {
  const auto parsed = parse_message(json);
  REQUIRE_FALSE(parsed);
  return parsed.error();
}

std::string run_of(std::size_t ids, std::string_view id = "a") {
  std::string json = "{\"msg\":\"Run\",\"tests\":[";
  for (std::size_t i = 0; i < ids; ++i) {
    json += i == 0 ? "\"" : ",\"";
    json += id;
    json += '"';
  }
  return json + "],\"nonce\":\"n\"}";
}

std::string nested(std::size_t arrays) {
  return "{\"msg\":\"Goodbye\",\"x\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

TEST_CASE("Message: the vectors' valid messages read as they say") {
  for (const auto& vector : test::read_vectors("valid.json")) {
    const auto name = vector.at("name").get<std::string>();
    CAPTURE(name);
    const auto message = parse_message(test::bytes_of(vector.at("message")));
    REQUIRE(message);
    CHECK(test::reading_of(*message) == test::expanded(vector.at("reading")));
  }
}

TEST_CASE("Message: the vectors' invalid messages are refused, with the nonce where there is one") {
  for (const auto& vector : test::read_vectors("invalid.json")) {
    const auto name = vector.at("name").get<std::string>();
    CAPTURE(name);
    const auto error = refused(test::bytes_of(vector.at("message")));
    CHECK(is_printable(error.reason));
    CHECK_FALSE(error.reason.empty());
    CHECK(error.reason.size() < 300);
    CHECK(error.nonce.has_value() == vector.contains("nonce"));
    if (error.nonce && vector.contains("nonce"))
      CHECK(*error.nonce == test::bytes_of(vector.at("nonce")));
  }
}

TEST_CASE("Message: the vectors' version ranges have the version they say in common") {
  const auto range = [](const test::Json& json) {
    return VersionRange{json.at("max").get<std::uint32_t>(), json.at("min").get<std::uint32_t>()};
  };
  for (const auto& vector : test::read_vectors("versions.json")) {
    const auto name = vector.at("name").get<std::string>();
    CAPTURE(name);
    const auto version =
        highest_common_version(range(vector.at("client")), range(vector.at("server")));
    CHECK(version.has_value() == !vector.at("version").is_null());
    if (version) CHECK(*version == vector.at("version").get<std::uint32_t>());
  }
}

TEST_CASE("Message: what is written reads back the same") {
  const std::string nonce = "quote\" back\\slash \n\t\x01 \x7f é 🦊"s + '\0' + "end";
  const std::vector<std::string> ids{"", "p.a.b", "\"", "\\", "\xf0\x9f\xa6\x8a"};
  const std::vector<Message> messages{Hello{{7, 2}},
                                      Goodbye{},
                                      List{std::nullopt, nonce},
                                      List{std::vector<std::string>{}, nonce},
                                      Run{ids, nonce},
                                      Run{std::nullopt, nonce, false},
                                      Done{nonce}};
  for (const auto& message : messages) {
    const auto json = to_json(message);
    CAPTURE(json);
    CHECK(json.find('\n') == std::string::npos);
    const auto read = parse_message(json);
    REQUIRE(read);
    CHECK(read->index() == message.index());
    CHECK(to_json(*read) == json);
  }
  const auto run = std::get<Run>(*parse_message(to_json(messages[4])));
  CHECK(run.tests == ids);
  CHECK(run.nonce == nonce);
  CHECK(run.exit);
  CHECK_FALSE(std::get<Run>(*parse_message(to_json(messages[5]))).exit);
}

TEST_CASE("Message: every beginning of a message is refused, and nothing throws") {
  const auto json = to_json(Run{std::vector<std::string>{"p.a", "p.\"é🦊"}, "n\u00e9"});
  for (std::size_t size = 0; size < json.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(refused(json.substr(0, size)).nonce);
  }
}

TEST_CASE("Message: a byte changed anywhere is read or refused, and nothing throws") {
  const auto json = to_json(Run{std::vector<std::string>{"p.a", "p.b"}, "n"});
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < json.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      auto changed = json;
      changed[at] = static_cast<char>(value);
      const auto parsed = parse_message(changed);
      if (parsed)
        ++accepted;
      else
        CHECK(is_printable(parsed.error().reason));
    }
  }
  CHECK(accepted > json.size());  // inside strings most bytes are as good as others
  CHECK(accepted < json.size() * 128);
}

TEST_CASE("Message: the limit of ids is the limit, and its nonce is known") {
  const auto largest = parse_message(run_of(max_message_ids));
  REQUIRE(largest);
  CHECK(std::get<Run>(*largest).tests->size() == max_message_ids);
  const auto error = refused(run_of(max_message_ids + 1));
  CHECK(error.nonce == "n");
  CHECK(error.reason.find("2000000") != std::string::npos);
}

TEST_CASE("Message: nesting is accepted up to the limit") {
  CHECK(parse_message(nested(max_message_depth - 1)));
  CHECK_FALSE(parse_message(nested(max_message_depth)));
  CHECK_FALSE(refused(nested(1'000'000)).nonce);
}

TEST_CASE("Message: a nonce and an id may be as long as the limit, and no longer") {
  CHECK(parse_message("{\"msg\":\"List\",\"nonce\":\"" + std::string(max_nonce_size, 'x') + "\"}"));
  CHECK_FALSE(
      refused("{\"msg\":\"List\",\"nonce\":\"" + std::string(max_nonce_size + 1, 'x') + "\"}")
          .nonce);
  CHECK(parse_message(run_of(1, std::string(max_test_id_size, 'x'))));
  CHECK(refused(run_of(1, std::string(max_test_id_size + 1, 'x'))).nonce == "n");
  CHECK(refused(run_of(2, "a\\u0000b")).nonce == "n");
}

TEST_CASE("Message: two nonces are none, whatever else is there twice") {
  CHECK_FALSE(refused(R"({"msg":"Run","tests":[],"tests":[],"nonce":"a","nonce":"b"})").nonce);
  CHECK_FALSE(refused(R"({"msg":"Run","nonce":"a","nonce":"b","tests":[],"tests":[]})").nonce);
  CHECK_FALSE(refused(R"({"msg":"Run","tests":[],"tests":[],"nonce":"a","msg":"Run"})").nonce);
}

TEST_CASE("Message: a number that no double holds is refused where it stands") {
  CHECK_FALSE(parse_message(R"({"msg":"Goodbye","x":1e999})"));
  CHECK(parse_message(R"({"msg":"Goodbye","x":123456789012345678901234567890})"));
}
