#include <doctest/doctest.h>

#include <string>

#include "protocol/subunit_v1.hpp"
#include "tests/support/subunit/subunit_v1_json.hpp"
#include "tests/unit/protocol/subunit_vectors.hpp"

using namespace hearth::protocol;
using namespace hearth::protocol::test;

namespace {

void drain(v1::Parser& parser, Json& events) {
  while (const auto event = parser.next()) append_event(events, *event);
}

Json parse(std::initializer_list<std::string_view> pieces) {
  v1::Parser parser;
  Json events = Json::array();
  for (std::string_view piece : pieces) {
    parser.feed(as_bytes(piece));
    drain(parser, events);
  }
  parser.finish();
  drain(parser, events);
  return events;
}

Json parse_byte_by_byte(std::string_view text) {
  v1::Parser parser;
  Json events = Json::array();
  for (char c : text) {
    parser.feed(as_bytes({&c, 1}));
    drain(parser, events);
  }
  parser.finish();
  drain(parser, events);
  return events;
}

template <typename T>
T last_of(std::string_view text) {
  v1::Parser parser;
  parser.feed(as_bytes(text));
  parser.finish();
  std::optional<T> last;
  while (auto event = parser.next()) {
    if (auto* found = std::get_if<T>(&*event)) last = std::move(*found);
  }
  REQUIRE(last);
  return *last;
}

}  // namespace

TEST_CASE("Subunit v1: every stream of the vectors, whole, byte by byte, at every split point") {
  for (const Json& vector : read_subunit_vectors("subunit-v1/streams.json")) {
    CAPTURE(vector["name"].get<std::string>());
    const auto text = vector["text"].get<std::string>();
    CHECK(parse({text}) == vector["events"]);
    CHECK(parse_byte_by_byte(text) == vector["events"]);
    const std::string_view view = text;
    for (std::size_t split = 0; split <= text.size(); ++split) {
      CAPTURE(split);
      REQUIRE(parse({view.substr(0, split), view.substr(split)}) == vector["events"]);
    }
  }
}

TEST_CASE("Subunit v1: truncated at every byte, no test ends that did not, and none is lost") {
  for (const Json& vector : read_subunit_vectors("subunit-v1/streams.json")) {
    CAPTURE(vector["name"].get<std::string>());
    const auto text = vector["text"].get<std::string>();
    for (std::size_t size = 0; size < text.size(); ++size) {
      CAPTURE(size);
      const Json events = parse({std::string_view(text).substr(0, size)});
      REQUIRE(events == parse_byte_by_byte(text.substr(0, size)));
      int open = 0;
      for (const Json& event : events) {
        open += event.contains("started") ? 1 : 0;
        open -= event.contains("ended") || event.contains("damaged") ? 1 : 0;
      }
      REQUIRE(open == 0);
      if (events.empty() || !events.back().contains("ended")) continue;
      // An end is reported only where the whole stream has one with the same id and status.
      bool found = false;
      for (const Json& event : vector["events"]) found = found || event == events.back();
      REQUIRE(found);
    }
  }
}

TEST_CASE("Subunit v1: a directive of the longest line, and one byte more") {
  const std::string longest(v1::max_line - 1 - std::string("test: ").size(), 'a');
  CHECK(parse({"test: " + longest + "\n"})[0] == Json{{"started", longest}});
  const std::string longer = "test: " + longest + "a\nbehind\n";
  CHECK(parse({longer}) == Json::array({{{"output", longer}}}));
}

TEST_CASE("Subunit v1: output without newlines is handed out before its end") {
  v1::Parser parser;
  const std::string piece(v1::max_line / 2, 'x');
  std::size_t seen = 0;
  for (int i = 0; i < 100; ++i) {
    parser.feed(as_bytes(piece));
    while (const auto event = parser.next()) seen += std::get<v1::ForeignLine>(*event).text.size();
  }
  CHECK(seen == 100 * piece.size());
}

TEST_CASE("Subunit v1: bracketed text is cut at its limit") {
  std::string text = "test: a\nfailure: a [\n";
  text += std::string(v1::max_details, 'x');
  text += "\nmore\n]\n";
  const auto ended = last_of<v1::TestEnded>(text);
  REQUIRE(ended.attachments.size() == 1);
  CHECK(ended.attachments[0].truncated);
  CHECK(ended.attachments[0].content.size() < v1::max_details);
  CHECK(ended.attachments[0].content.size() > v1::max_details - 1024);
  CHECK(ended.dropped == 0);
}

TEST_CASE("Subunit v1: attachments beyond the limit are counted, not kept") {
  std::string text = "test: a\nfailure: a [ multipart\n";
  const std::size_t kept = v1::max_details / (64 + 3 + 1);
  for (std::size_t i = 0; i < kept + 1000; ++i) text += "Content-Type: a/b\nc\n0\r\n";
  text += "]\n";
  const auto ended = last_of<v1::TestEnded>(text);
  CHECK(ended.attachments.size() == kept);
  CHECK(ended.dropped == 1000);
}

TEST_CASE("Subunit v1: a chunk that claims 4 GiB costs what arrives of it") {
  const auto damaged = last_of<v1::Damaged>(
      "test: a\nfailure: a [ multipart\nContent-Type: a/b\nc\nFFFFFFFF\r\nfew");
  REQUIRE(damaged.attachments.size() == 1);
  CHECK(as_text(damaged.attachments[0].content) == "few");
}

TEST_CASE("Subunit v1: a line of the attachments that is too long ends them") {
  const std::string name(v1::max_line, 'n');
  const std::string text = "test: a\nfailure: a [ multipart\nContent-Type: a/b\n" + name;
  CHECK(last_of<v1::Damaged>(text).reason == "a line of the attachments is too long");
}

TEST_CASE("Subunit v1: ids and names are as printed, whatever their bytes") {
  CHECK(last_of<v1::TestStarted>(std::string("test: \xFF\0x\n", 10)).test_id ==
        std::string("\xFF\0x", 3));
}
