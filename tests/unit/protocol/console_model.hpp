// A model of two ends of the console armour and of the console between them: what one end writes is
// changed by the console, in either direction, and arrives at the other, or comes back as an echo.
// Time moves only when nothing else does.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>

#include "protocol/console_armour.hpp"

namespace hearth::protocol::armour::test {

inline ByteView view(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// One end and what its owner saw.
struct End {
  explicit End(const Options& options) : armour(options) {}

  void queue(std::uint8_t channel, std::string bytes) { to_send.emplace_back(channel, bytes); }

  // Hands the machine what it has room for, and ends the stream behind it.
  void push() {
    while (!to_send.empty()) {
      auto& [channel, bytes] = to_send.front();
      bytes.erase(0, armour.send(channel, view(bytes)));
      if (!bytes.empty()) return;
      to_send.erase(to_send.begin());
    }
    if (ends) armour.end_stream();
  }

  void drain() {
    while (auto event = armour.next()) {
      if (std::holds_alternative<Connected>(*event)) ++connected;
      if (const auto* data = std::get_if<ChannelData>(&*event))
        received[data->channel].append(reinterpret_cast<const char*>(data->bytes.data()),
                                       data->bytes.size());
      if (const auto* end = std::get_if<ChannelEnd>(&*event))
        ended += static_cast<char>(end->channel);
      if (std::holds_alternative<StreamEnd>(*event)) ++stream_ends;
      if (const auto* text = std::get_if<ForeignText>(&*event)) foreign += text->text;
      if (auto* fault = std::get_if<Fault>(&*event)) faults.push_back(*fault);
    }
  }

  [[nodiscard]] bool over() const { return armour.finished() || !faults.empty(); }

  ConsoleArmour armour;
  std::vector<std::pair<std::uint8_t, std::string>> to_send;
  bool ends = true;
  int connected = 0;
  int stream_ends = 0;
  std::map<std::uint8_t, std::string> received;
  std::string ended;  // channels
  std::string foreign;
  std::vector<Fault> faults;
  std::string wrote;  // all it wrote to the console
  bool left = false;  // its owner has gone
};

using Change = std::function<std::string(std::string)>;

struct Console {
  Change to_answerer = [](std::string bytes) { return bytes; };
  Change to_caller = [](std::string bytes) { return bytes; };
  // What the caller's own bytes come back as, in front of what is delivered.
  Change echo = [](const std::string&) { return std::string(); };
  std::size_t piece = 0;  // deliver in pieces of so many bytes; 0: whole
};

struct World {
  World(Options caller_options, Options answerer_options)
      : caller(with(caller_options, Side::caller, 0x11111111)),
        answerer(with(answerer_options, Side::answerer, 0x22222222)) {}
  explicit World(const Options& options = {}) : World(options, options) {}

  static Options with(Options options, Side side, std::uint32_t nonce) {
    options.side = side;
    options.nonce = nonce;
    return options;
  }

  static std::string take_output(End& end) {
    std::string bytes;
    if (end.left) return bytes;
    end.push();
    const ByteView out = end.armour.output();
    bytes.assign(reinterpret_cast<const char*>(out.data()), out.size());
    end.armour.consume(out.size());
    end.wrote += bytes;
    return bytes;
  }

  void deliver(End& end, const std::string& bytes) {
    if (end.left) return;
    const std::size_t piece =
        console.piece == 0 ? std::max<std::size_t>(bytes.size(), 1) : console.piece;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      end.armour.feed(view(std::string_view(bytes).substr(at, piece)), now);
      end.drain();
    }
  }

  // True if anything was written.
  bool exchange() {
    const auto out = take_output(caller);
    if (!out.empty()) {
      deliver(caller, console.echo(out));
      deliver(answerer, console.to_answerer(out));
    }
    const auto back = take_output(answerer);
    if (!back.empty()) deliver(caller, console.to_caller(back));
    return !out.empty() || !back.empty();
  }

  // Until both ends are over, or `limit`, which is a hang.
  void run(Time limit = Time{200'000}) {
    for (;;) {
      caller.armour.tick(now);
      answerer.armour.tick(now);
      caller.drain();
      answerer.drain();
      while (exchange()) {
      }
      if ((caller.over() || caller.left) && (answerer.over() || answerer.left)) return;
      step(limit);
    }
  }

  void step(Time limit) {
    std::optional<Time> due;
    for (const End* end : {&caller, &answerer}) {
      const auto next = end->left || end->over() ? std::nullopt : end->armour.next_tick();
      if (next && (!due || *next < *due)) due = next;
    }
    if (!due) throw std::runtime_error("an end waits for ever");
    now = std::max(now + Time{1}, *due);
    if (now > limit) throw std::runtime_error("the session hangs");
  }

  End caller;
  End answerer;
  Console console;
  Time now{0};
};

// A short session: three channels, bytes of every value, both directions.
inline std::string every_byte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

inline void script(World& world) {
  world.caller.queue(0, "List: all\n");
  world.caller.queue(7, every_byte());
  world.caller.queue(0, std::string(450, 'r') + ": RUN.");
  world.answerer.queue(0, "packets" + every_byte());
  world.answerer.queue(1, "stderr: a warning.\n");
  world.answerer.queue(0, std::string(400, '\0'));
}

inline std::map<std::uint8_t, std::string> from_caller() {
  return {{0, "List: all\n" + std::string(450, 'r') + ": RUN."}, {7, every_byte()}};
}
inline std::map<std::uint8_t, std::string> from_answerer() {
  return {{0, "packets" + every_byte() + std::string(400, '\0')}, {1, "stderr: a warning.\n"}};
}

inline bool complete(const World& world) {
  return world.answerer.received == from_caller() && world.caller.received == from_answerer() &&
         world.caller.stream_ends == 1 && world.answerer.stream_ends == 1 &&
         world.caller.faults.empty() && world.answerer.faults.empty();
}

// Is what arrived a beginning of what was sent, on every channel?
inline bool right_so_far(const std::map<std::uint8_t, std::string>& received,
                         const std::map<std::uint8_t, std::string>& sent) {
  for (const auto& [channel, bytes] : received)
    if (!sent.contains(channel) || !sent.at(channel).starts_with(bytes)) return false;
  return true;
}

}  // namespace hearth::protocol::armour::test
