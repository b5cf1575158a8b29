#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "protocol/armour_scanner.hpp"

using namespace hearth::protocol::armour;
using Json = nlohmann::json;

namespace {

std::string unhex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char c : bytes) {
    text += "0123456789abcdef"[c / 16];
    text += "0123456789abcdef"[c % 16];
  }
  return text;
}

std::string text_of(hearth::protocol::ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What a reader finds, in the form of the vectors.
struct Reading {
  Json frames = Json::array();
  std::string foreign;
  std::uint64_t dropped = 0;
};

void read(Scanner& scanner, std::string_view bytes, const SessionKey& key, Reading& reading) {
  auto left = std::as_bytes(std::span(bytes));
  while (scanner.scan(left)) {
    if (parse_body(scanner.body(), key)) {
      reading.frames.push_back(hex(text_of(scanner.body())));
    } else {
      scanner.reject();
    }
  }
}

void take_text(Scanner& scanner, Reading& reading) {
  std::string text;
  reading.dropped += scanner.take_foreign(text);
  reading.foreign += text;
}

Reading read_in_pieces(const std::string& bytes, const SessionKey& key, std::size_t first,
                       std::size_t piece) {
  Scanner scanner;
  Reading reading;
  read(scanner, std::string_view(bytes).substr(0, first), key, reading);
  for (std::size_t at = first; at < bytes.size(); at += piece)
    read(scanner, std::string_view(bytes).substr(at, piece), key, reading);
  scanner.give_up();
  take_text(scanner, reading);
  return reading;
}

void check(const Json& vector, const Reading& reading) {
  CHECK(reading.frames == vector.at("frames"));
  CHECK(hex(reading.foreign) == vector.at("foreign").get<std::string>());
}

}  // namespace

TEST_CASE("Armour scanner: the vectors, whole, byte by byte, and cut in two everywhere") {
  std::ifstream in(std::string(HEARTH_VECTORS) + "/tunnel/consoles.json");
  const auto vectors = Json::parse(in);
  REQUIRE(!vectors.empty());
  for (const Json& vector : vectors) {
    INFO(vector.at("name").get<std::string>());
    const auto bytes = unhex(vector.at("hex"));
    const SessionKey key{vector.at("key").at(0), vector.at("key").at(1)};
    check(vector, read_in_pieces(bytes, key, 0, 1));
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
      check(vector, read_in_pieces(bytes, key, cut, bytes.size() + 1));
  }
}

TEST_CASE("Armour scanner: foreign text is bounded, and what is dropped is counted") {
  Scanner scanner;
  Reading reading;
  const std::string line(1'000, 'x');
  for (int i = 0; i < 1'000; ++i) read(scanner, line, {}, reading);
  take_text(scanner, reading);
  CHECK(reading.foreign.size() == Scanner::max_foreign);
  CHECK(reading.foreign.size() + reading.dropped == 1'000'000);
  read(scanner, "again", {}, reading);
  take_text(scanner, reading);
  CHECK(reading.foreign.ends_with("xagain"));
}

TEST_CASE("Armour scanner: a candidate without end is text, and bounded") {
  Reading reading;
  Scanner scanner;
  read(scanner, ": ", {}, reading);
  for (int i = 0; i < 100'000; ++i) read(scanner, i % 100 == 99 ? "\n" : "A", {}, reading);
  scanner.give_up();
  take_text(scanner, reading);
  CHECK(reading.frames.empty());
  CHECK(reading.foreign.size() + reading.dropped == 100'002);
}
