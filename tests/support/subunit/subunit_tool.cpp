// The subunit codecs on a command line, for tests written in other languages. Standard input to
// standard output:
//   subunit_tool decode [PIECE]   a stream; its events as JSON lines. Fed PIECE bytes at a time.
//   subunit_tool encode           packets as JSON lines; their bytes
//   subunit_tool parse-v1         subunit v1 text; its events as JSON lines
// The JSON forms are those of spec/vectors.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>

#include "tests/support/subunit/subunit_v1_json.hpp"

namespace {

using namespace hearth::protocol;
using namespace hearth::protocol::test;

std::string read_all() {
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

// Strings that are not UTF-8 (v1 does not check) are shown as far as they are.
void print_all(const Json& events) {
  for (const Json& event : events) {
    std::cout << event.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
}

template <typename Reader>
Json read_events(Reader& reader, std::size_t piece) {
  const std::string input = read_all();
  ByteView rest = as_bytes(input);
  Json events = Json::array();
  const auto drain = [&] {
    while (const auto event = reader.next()) append_event(events, *event);
  };
  while (!rest.empty()) {
    const std::size_t size = std::min(piece, rest.size());
    reader.feed(rest.first(size));
    rest = rest.subspan(size);
    drain();
  }
  reader.finish();
  drain();
  return events;
}

int encode_all() {
  Bytes out;
  for (std::string line; std::getline(std::cin, line);) {
    const OwnedPacket packet(Json::parse(line));
    if (const auto result = encode(packet.get(), out); !result) {
      std::cerr << "subunit_tool: " << line << ": " << to_string(result.error()) << '\n';
      return 1;
    }
  }
  std::cout.write(reinterpret_cast<const char*>(out.data()),
                  static_cast<std::streamsize>(out.size()));
  return 0;
}

int run(const std::string& mode, std::size_t piece) {
  if (mode == "encode") return encode_all();
  if (mode == "decode") {
    PacketDecoder decoder;
    print_all(read_events(decoder, piece));
    return 0;
  }
  if (mode == "parse-v1") {
    v1::Parser parser;
    print_all(read_events(parser, piece));
    return 0;
  }
  std::cerr << "usage: subunit_tool decode [PIECE] | encode | parse-v1 [PIECE]\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::size_t piece = argc > 2 ? std::stoul(argv[2]) : 65536;
    return run(argc > 1 ? argv[1] : "", std::max<std::size_t>(piece, 1));
  } catch (const std::exception& error) {
    std::cerr << "subunit_tool: " << error.what() << '\n';
    return 2;
  }
}
