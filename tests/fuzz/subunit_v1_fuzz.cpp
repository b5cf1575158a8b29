// The subunit v1 parser: the pieces that text arrives in change nothing, every test that begins
// ends once, and its output is what was printed.
#include <algorithm>

#include "tests/fuzz/fuzz.hpp"
#include "tests/support/subunit/subunit_v1_json.hpp"

namespace {

using namespace hearth::protocol;
using namespace hearth::protocol::test;
using hearth::fuzz::require;

Json parse(ByteView text, std::size_t piece) {
  v1::Parser parser;
  Json events = Json::array();
  const auto drain = [&] {
    while (const auto event = parser.next()) append_event(events, *event);
  };
  for (ByteView rest = text; !rest.empty();) {
    const std::size_t size = std::min(piece, rest.size());
    parser.feed(rest.first(size));
    rest = rest.subspan(size);
    drain();
  }
  parser.finish();
  drain();
  return events;
}

void check_tests(const Json& events) {
  const Json* open = nullptr;
  for (const Json& event : events) {
    if (event.contains("started")) {
      require(open == nullptr, "a test began within another");
      open = &event["started"];
    }
    const char* const end = event.contains("ended") ? "ended" : "damaged";
    if (!event.contains(end)) continue;
    require(open != nullptr && *open == event[end], "a test ended that had not begun");
    open = nullptr;
  }
  require(open == nullptr, "a test never ended");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = hearth::fuzz::input(data + 1, size - 1);
  const Json events = parse(text, std::max<std::size_t>(text.size(), 1));
  require(parse(text, 1 + data[0] % 16) == events, "the pieces made a difference");
  check_tests(events);
  return 0;
}
