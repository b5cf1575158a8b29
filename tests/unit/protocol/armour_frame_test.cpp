#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "protocol/armour_frame.hpp"

using namespace hearth::protocol;
using namespace hearth::protocol::armour;
using Json = nlohmann::json;

namespace {

Bytes unhex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

Json frame_vectors() {
  std::ifstream in(std::string(HEARTH_VECTORS) + "/tunnel/frames.json");
  auto vectors = Json::parse(in);
  if (vectors.empty()) throw std::runtime_error("no vectors");
  return vectors;
}

Kind kind_of(const std::string& name) {
  const char* const names[] = {"hello",       "welcome",    "refuse", "data",
                               "channel_end", "stream_end", "ack",    "reset"};
  for (int i = 0; i < 8; ++i)
    if (name == names[i]) return static_cast<Kind>(i + 1);
  throw std::runtime_error("unknown kind " + name);
}

Frame frame_of(const Json& json, Bytes& payload) {
  Frame frame;
  frame.side = json.at("side") == "caller" ? Side::caller : Side::answerer;
  frame.kind = kind_of(json.at("kind"));
  frame.min_version = json.value("min", std::uint8_t{0});
  frame.max_version = json.value("max", std::uint8_t{0});
  frame.window = json.value("window", std::uint8_t{0});
  frame.line = json.value("line", std::uint16_t{0});
  frame.nonces = {json.value("caller_nonce", 0u), json.value("answerer_nonce", 0u)};
  frame.ack = json.value("ack", 0u);
  frame.credit = json.value("credit", std::uint8_t{0});
  frame.seq = json.value("seq", 0u);
  frame.channel = json.value("channel", std::uint8_t{0});
  frame.cause = json.value("cause", std::uint8_t{0});
  payload = unhex(json.value("payload", ""));
  frame.payload = payload;
  return frame;
}

bool same(const Frame& a, const Frame& b) {
  return a.side == b.side && a.kind == b.kind && a.min_version == b.min_version &&
         a.max_version == b.max_version && a.window == b.window && a.line == b.line &&
         a.nonces == b.nonces && a.ack == b.ack && a.credit == b.credit && a.seq == b.seq &&
         a.channel == b.channel && a.cause == b.cause &&
         std::equal(a.payload.begin(), a.payload.end(), b.payload.begin(), b.payload.end());
}

std::optional<Frame> read_line(std::string_view line, const std::optional<SessionKey>& key,
                               Bytes& body) {
  const auto text = line.substr(2, line.size() - 4);
  return decode_text(text, body) ? parse_body(body, key) : std::nullopt;
}

}  // namespace

TEST_CASE("Armour frame: the vectors are written and read") {
  for (const Json& vector : frame_vectors()) {
    if (!vector.contains("frame")) continue;
    INFO(vector.at("name").get<std::string>());
    const SessionKey key{vector.at("key").at(0), vector.at("key").at(1)};
    Bytes payload;
    const Frame frame = frame_of(vector.at("frame"), payload);
    const std::string line = vector.at("text");
    Bytes written;
    append_line(frame, key, written);
    CHECK(std::string(reinterpret_cast<const char*>(written.data()), written.size()) == line);
    Bytes body;
    const auto read = read_line(line, key, body);
    REQUIRE(read);
    CHECK(same(*read, frame));
  }
}

TEST_CASE("Armour frame: what the vectors call invalid is refused") {
  int count = 0;
  for (const Json& vector : frame_vectors()) {
    if (vector.contains("frame")) continue;
    INFO(vector.at("name").get<std::string>());
    Bytes body;
    std::optional<SessionKey> key;
    if (vector.contains("key")) key = {vector.at("key").at(0), vector.at("key").at(1)};
    CHECK(!read_line(vector.at("text").get<std::string>(), key, body));
    ++count;
  }
  CHECK(count > 5);
}

TEST_CASE("Armour frame: every other character at every place of a line is noticed") {
  Frame frame;
  frame.kind = Kind::data;
  frame.ack = 3;
  frame.credit = 4;
  frame.seq = 9;
  const Bytes payload(20, std::byte{'p'});
  frame.payload = payload;
  Bytes out;
  append_line(frame, {}, out);
  const std::string line(reinterpret_cast<const char*>(out.data()), out.size());
  for (std::size_t at = 2; at + 2 < line.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      if (static_cast<char>(c) == line[at]) continue;
      std::string changed = line;
      changed[at] = static_cast<char>(c);
      Bytes body;
      REQUIRE(!read_line(changed, SessionKey{}, body));
    }
  }
}

TEST_CASE("Armour frame: a payload of every size fits the line that is meant for it") {
  for (const std::size_t line : {shortest_line, default_line, longest_line}) {
    const Bytes payload(payload_of_line(line), std::byte{0xFF});
    Frame frame;
    frame.kind = Kind::data;
    frame.payload = payload;
    Bytes out;
    append_line(frame, {}, out);
    CHECK(out.size() <= line);
    CHECK(out.size() + 1 >= line);
  }
}
