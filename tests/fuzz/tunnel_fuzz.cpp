// Fuzz target: what a hostile console does to both ends of the armour, before and in a session. The
// first byte chooses how the bytes are cut up. Built by tests/fuzz/meson.build.
#include <algorithm>
#include <map>
#include <string>

#include "protocol/console_armour.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace hearth::protocol::armour;
using hearth::fuzz::require;
using hearth::protocol::Bytes;
using hearth::protocol::ByteView;

namespace {

constexpr std::size_t most_output = std::size_t{24} * 1024;

// The vectors' session, which forged frames belong to as well; and another, to which they are
// noise.
constexpr SessionKey known{0x01020304, 0xA1B2C3D4};
constexpr SessionKey secret{0x5E551017, 0x0DDBA115};

Options options_of(Side side, const SessionKey& key) {
  Options options;
  options.side = side;
  options.nonce = side == Side::caller ? key.caller_nonce : key.answerer_nonce;
  return options;
}

// An end, and the bytes that came out of each of its channels.
struct End {
  End(Side side, const SessionKey& key) : armour(options_of(side, key)) {}

  void feed(ByteView bytes, Time now) {
    armour.feed(bytes, now);
    while (const auto event = armour.next()) {
      if (const auto* data = std::get_if<ChannelData>(&*event))
        received[data->channel].append(reinterpret_cast<const char*>(data->bytes.data()),
                                       data->bytes.size());
      if (const auto* fault = std::get_if<Fault>(&*event)) {
        require(!failed && !fault->text.empty(), "a second fault, or one that says nothing");
        failed = true;
      }
    }
  }

  Bytes take_output() {
    const ByteView out = armour.output();
    require(out.size() <= most_output, "the output is not bounded");
    Bytes bytes(out.begin(), out.end());
    armour.consume(bytes.size());
    return bytes;
  }

  ConsoleArmour armour;
  std::map<std::uint8_t, std::string> received;
  bool failed = false;
};

void fuzz_alone(Side side, ByteView bytes, std::size_t piece) {
  End end(side, known);
  Time now{0};
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    end.feed(bytes.subspan(at, std::min(piece, bytes.size() - at)), now);
    (void)end.take_output();
    now += Time{100};
    end.armour.tick(now);
  }
}

const std::string& script() {
  static const std::string text = [] {
    std::string bytes;
    for (int i = 0; i < 3'000; ++i) bytes += static_cast<char>(i * 7 + i / 256);
    return bytes;
  }();
  return text;
}

bool beginning(const std::map<std::uint8_t, std::string>& received) {
  return std::all_of(received.begin(), received.end(), [](const auto& channel) {
    return channel.first == 5 && script().starts_with(channel.second);
  });
}

// Both ends over a console that says `bytes`, a piece at a time, between and inside their lines.
// It ends; and unless the bytes can be frames of the very session, what arrives is right.
void fuzz_session(ByteView bytes, std::size_t piece, const SessionKey& key) {
  End caller(Side::caller, key);
  End answerer(Side::answerer, key);
  for (End* end : {&caller, &answerer}) {
    end->armour.send(5, std::as_bytes(std::span(script())));
    end->armour.end_stream();
  }
  Time now{0};
  std::size_t at = 0;
  const auto noise = [&] {
    const ByteView taken = bytes.subspan(at, std::min(piece, bytes.size() - at));
    at += taken.size();
    return taken;
  };
  const auto carry = [&](End& from, End& to) {
    const Bytes out = from.take_output();
    const std::size_t middle = out.size() / 2;
    to.feed(ByteView(out).first(middle), now);
    to.feed(noise(), now);
    to.feed(ByteView(out).subspan(middle), now);
  };
  const auto over = [](const End& end) { return end.failed || end.armour.finished(); };
  while (!(over(caller) && over(answerer))) {
    carry(caller, answerer);
    carry(answerer, caller);
    now += Time{50};
    caller.armour.tick(now);
    answerer.armour.tick(now);
    require(now < Time{400'000} + Time{50 * static_cast<int>(bytes.size())}, "a session hangs");
    caller.feed({}, now);
    answerer.feed({}, now);
  }
  if (key == known) return;
  require(beginning(caller.received) && beginning(answerer.received), "a wrong byte arrived");
}

// The bytes as the contents of frames, so that the fuzzer need not find checksums.
Bytes frames_of(ByteView bytes) {
  Bytes lines;
  for (std::size_t at = 0; at + 10 <= bytes.size() && lines.size() < 8'192;) {
    const auto number = [&](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[at + i]); };
    Frame frame;
    frame.side = number(0) % 2 == 0 ? Side::caller : Side::answerer;
    frame.kind = static_cast<Kind>(1 + number(0) / 2 % 8);
    frame.min_version = frame.credit = number(1);
    frame.max_version = frame.channel = number(2);
    frame.window = frame.cause = number(3);
    frame.line = static_cast<std::uint16_t>(number(4) << 8 | number(5));
    frame.ack = number(6);
    frame.seq = number(7);
    frame.nonces = {known.caller_nonce, number(8) % 2 == 0 ? known.answerer_nonce : 1};
    const std::size_t size = std::min<std::size_t>(number(9) % 40, bytes.size() - at - 10);
    if (frame.kind == Kind::data || frame.kind == Kind::ack)
      frame.payload = bytes.subspan(at + 10, size);
    append_line(frame, known, lines);
    at += 10 + size;
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 2 == 0 ? size : 1 + data[0] % 31;
  const auto bytes = hearth::fuzz::input(data + 1, size - 1);
  fuzz_alone(Side::caller, bytes, piece);
  fuzz_alone(Side::answerer, bytes, piece);
  fuzz_session(bytes, piece, secret);
  const Bytes forged = frames_of(bytes);
  fuzz_alone(Side::caller, forged, piece);
  fuzz_alone(Side::answerer, forged, piece);
  fuzz_session(forged, 1 + piece % 200, known);
  return 0;
}
