#include <doctest/doctest.h>

#include "protocol/message_assembler.hpp"
#include "tests/unit/protocol/rpc_vectors.hpp"

using namespace hearth::protocol;
using test::Json;

namespace {

// What came out, as the vectors write it: readings and "error".
Json taken(MessageAssembler& assembler) {
  Json all = Json::array();
  while (const auto outcome = assembler.take())
    all.push_back(*outcome ? test::reading_of(**outcome) : Json("error"));
  return all;
}

void add(MessageAssembler& assembler, std::string_view content, bool eof) {
  assembler.add(as_bytes(content), eof);
}

// `content` in pieces of `size` bytes; EOF is on the last one or nowhere.
Json assembled(MessageAssembler& assembler, std::string_view content, std::size_t size, bool eof) {
  for (std::size_t at = 0; at < content.size(); at += size)
    add(assembler, content.substr(at, size), eof && at + size >= content.size());
  return taken(assembler);
}

const std::string list_n = R"({"msg":"List","nonce":"n"})";

}  // namespace

TEST_CASE("Assembler: the vectors' pieces give what they say, when they say it") {
  for (const auto& vector : test::read_vectors("pieces.json")) {
    const auto name = vector.at("name").get<std::string>();
    CAPTURE(name);
    MessageAssembler assembler;
    std::size_t index = 0;
    for (const auto& piece : vector.at("pieces")) {
      CAPTURE(index);
      add(assembler, test::bytes_of(piece.at("content")), piece.at("eof").get<bool>());
      CHECK(taken(assembler) == piece.value("after", Json::array()));
      ++index;
    }
  }
}

TEST_CASE(
    "Assembler: every valid vector is the same message in pieces of any size, with or without "
    "EOF") {
  for (const auto& vector : test::read_vectors("valid.json")) {
    const auto name = vector.at("name").get<std::string>();
    CAPTURE(name);
    const auto message = test::bytes_of(vector.at("message"));
    const auto expected = Json::array({test::expanded(vector.at("reading"))});
    const bool large = message.size() > 4096;
    for (std::size_t size : {1, 2, 3, 7, 64, 65536}) {
      if (large && size < 64) continue;
      CAPTURE(size);
      MessageAssembler assembler;
      CHECK(assembled(assembler, message, size, true) == expected);
      CHECK(assembled(assembler, message, size, false) == expected);
      CHECK(assembled(assembler, message, size, false) == expected);
    }
  }
}

TEST_CASE(
    "Assembler: every invalid vector is never one message in pieces of any size, and the next is "
    "read") {
  const auto expected_next = Json::array({Json::parse(list_n)});
  for (const auto& vector : test::read_vectors("invalid.json")) {
    const auto name = vector.at("name").get<std::string>();
    CAPTURE(name);
    const auto message = test::bytes_of(vector.at("message"));
    const bool large = message.size() > 4096;
    for (std::size_t size : {1, 2, 5, 64, 65536}) {
      if (message.empty() || (large && size < 64)) continue;
      CAPTURE(size);
      MessageAssembler assembler;
      const auto outcomes = assembled(assembler, message, size, true);
      // What is whole at the end of a piece is a message, whatever follows it; the rest is another.
      CHECK((outcomes.size() > 1 || outcomes.front() == "error"));
      CHECK(assembled(assembler, list_n, list_n.size(), true) == expected_next);
    }
  }
}

TEST_CASE("Assembler: a message in one packet with EOF costs exactly one outcome") {
  for (const char* file : {"valid.json", "invalid.json"}) {
    for (const auto& vector : test::read_vectors(file)) {
      const auto name = vector.at("name").get<std::string>();
      CAPTURE(name);
      MessageAssembler assembler;
      add(assembler, test::bytes_of(vector.at("message")), true);
      CHECK(taken(assembler).size() == 1);
    }
  }
}

TEST_CASE("Assembler: a message above the limit is refused once, at its end, with its nonce") {
  const std::string message =
      R"({"msg":"Run","x":{"nonce":"not this"},"tests":["aaaaaaaaaa","bbbbbbbbbb"],"nonce":"n"})";
  for (std::size_t limit = 1; limit < message.size(); limit += 9) {
    for (std::size_t size : {std::size_t{1}, std::size_t{7}, message.size()}) {
      for (const bool eof : {true, false}) {
        CAPTURE(limit);
        CAPTURE(size);
        CAPTURE(eof);
        MessageAssembler assembler(limit);
        for (std::size_t at = 0; at < message.size(); at += size) {
          CHECK_FALSE(assembler.take());
          add(assembler, message.substr(at, size), eof && at + size >= message.size());
        }
        const auto outcome = assembler.take();
        REQUIRE(outcome);
        REQUIRE_FALSE(*outcome);
        CHECK(outcome->error().nonce == "n");
        CHECK_FALSE(assembler.take());
      }
    }
  }
}

TEST_CASE("Assembler: a message exactly at the limit is read") {
  MessageAssembler assembler(list_n.size());
  CHECK(assembled(assembler, list_n, 3, false) == Json::array({Json::parse(list_n)}));
  add(assembler, list_n + " ", true);
  CHECK(taken(assembler) == Json::array({"error"}));
}

TEST_CASE(
    "Assembler: above the limit, the nonce is found behind an escaped key, and missed behind 256 "
    "KiB") {
  MessageAssembler assembler(64);
  const std::string ids(100, 'a');
  add(assembler, R"({"msg":"List","tests":[")" + ids + R"("],"non\u0063e":"n"})", true);
  CHECK(assembler.take()->error().nonce == "n");
  add(assembler, R"({"msg":"List","x":")" + std::string(300'000, 'a') + R"(","nonce":"n"})", true);
  CHECK_FALSE(assembler.take()->error().nonce);
  add(assembler, R"({"msg":"Goodbye","x":")" + ids + R"(","nonce":"n"})", true);
  CHECK_FALSE(assembler.take()->error().nonce);
}

TEST_CASE("Assembler: a message that the stream cuts off is refused") {
  MessageAssembler assembler;
  add(assembler, R"({"msg":)", false);
  assembler.finish();
  CHECK(taken(assembler) == Json::array({"error"}));
  assembler.finish();
  CHECK(taken(assembler).empty());
}

TEST_CASE("Assembler: hostile nesting is refused when it shows, whatever follows") {
  MessageAssembler assembler;
  add(assembler, R"({"x":)" + std::string(1'000'000, '['), false);
  CHECK(taken(assembler) == Json::array({"error"}));
  add(assembler, std::string(1'000'000, '['), false);
  CHECK(taken(assembler).empty());
  add(assembler, list_n, false);
  CHECK(taken(assembler) == Json::array({Json::parse(list_n)}));
}

TEST_CASE("Assembler: a million ids in pieces of 1 MiB") {
  std::vector<std::string> ids;
  for (int i = 0; i < 1'000'000; ++i) ids.push_back("program.Suite.test_" + std::to_string(i));
  const auto json = command_json("Run", ids, "n");
  MessageAssembler assembler;
  for (std::size_t at = 0; at < json.size(); at += 1 << 20)
    add(assembler, std::string_view(json).substr(at, 1 << 20), false);
  const auto outcome = assembler.take();
  REQUIRE(outcome);
  REQUIRE(*outcome);
  CHECK(std::get<Run>(**outcome).tests == ids);
}

TEST_CASE("Scanner: broken and complete are told from open at every byte") {
  const std::string json = R"( {"a":[1,{"b":"}\"]"},[]],"c":{},"d":-1.5e3} )";
  for (std::size_t size = 0; size <= json.size(); ++size) {
    CAPTURE(size);
    ObjectScanner scanner;
    scanner.scan(std::string_view(json).substr(0, size));
    const auto expected = size < 2                 ? ObjectScanner::Progress::blank
                          : size < json.size() - 1 ? ObjectScanner::Progress::open
                                                   : ObjectScanner::Progress::complete;
    CHECK(scanner.progress() == expected);
  }
  for (const char* bad : {"[", "x", "{a", "{\"a\" \"", "{\"a\":,", "{,", "{\"a\":1,}", "{]",
                          "{\"a\":[}", "{\"a\":1 2", "{\"a\":[1,]", "{}{", "{} x", "{\"\n", "}"}) {
    CAPTURE(bad);
    ObjectScanner scanner;
    CHECK(scanner.scan(bad) == ObjectScanner::Progress::broken);
  }
}
