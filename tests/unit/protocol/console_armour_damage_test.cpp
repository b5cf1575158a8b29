// One byte of a recorded session dropped, doubled, flipped or inserted, at every position, in both
// directions; and random damage. What arrives is the same stream, or its beginning and a fault.
#include <doctest/doctest.h>

#include <random>

#include "tests/unit/protocol/console_model.hpp"

using namespace hearth::protocol::armour;
using namespace hearth::protocol::armour::test;

namespace {

// Changes the byte at `position` of all that passes, and nothing else.
struct OneByte {
  std::size_t position;
  std::function<std::string(char)> change;
  std::size_t passed = 0;

  std::string operator()(std::string bytes) {
    const std::size_t before = passed;
    passed += bytes.size();
    if (position < before || position >= passed) return bytes;
    return bytes.replace(position - before, 1, change(bytes[position - before]));
  }
};

struct Kind {
  const char* name;
  std::function<std::string(char)> change;
};

const std::vector<Kind>& kinds() {
  const auto flipped = [](char mask) {
    return [mask](char c) { return std::string(1, static_cast<char>(c ^ mask)); };
  };
  static const std::vector<Kind> all = {
      {"dropped", [](char) { return std::string(); }},
      {"doubled", [](char c) { return std::string(2, c); }},
      {"lowest bit flipped", flipped(1)},
      {"case flipped", flipped(0x20)},
      {"top bit flipped", flipped(static_cast<char>(0x80))},
      {"letter inserted", [](char c) { return std::string("A") + c; }},
      {"colon inserted", [](char c) { return std::string(":") + c; }},
      {"end mark inserted", [](char c) { return std::string(".") + c; }},
      {"line end inserted", [](char c) { return std::string("\n") + c; }},
      {"interrupt inserted", [](char c) { return std::string("\x03") + c; }},
  };
  return all;
}

World short_world() {
  Options options;
  options.line = 255;
  return World(options);
}

std::size_t recorded_size(bool from_caller_side) {
  World world = short_world();
  script(world);
  world.run();
  REQUIRE(complete(world));
  return (from_caller_side ? world.caller : world.answerer).wrote.size();
}

void damage_every_position(bool to_answerer) {
  const std::size_t size = recorded_size(to_answerer);
  REQUIRE(size > 1'000);
  for (const Kind& kind : kinds()) {
    for (std::size_t position = 0; position < size; ++position) {
      World world = short_world();
      (to_answerer ? world.console.to_answerer : world.console.to_caller) =
          OneByte{position, kind.change};
      script(world);
      world.run();
      // One byte is never enough for a fault: what is lost is sent again.
      INFO(kind.name, " at ", position);
      REQUIRE(complete(world));
      REQUIRE(world.now < Time{5'000});
    }
  }
}

// Damages one byte in `every` on average.
Change random_damage(unsigned seed, unsigned every) {
  return [random = std::mt19937(seed), every](const std::string& bytes) mutable {
    std::string damaged;
    for (const char c : bytes) {
      if (random() % every != 0) {
        damaged += c;
        continue;
      }
      const auto any = static_cast<char>(random() % 256);
      switch (random() % 5) {
        case 0:
          break;
        case 1:
          damaged += std::string(2, c);
          break;
        case 2:
          damaged += any;
          break;
        case 3:
          damaged += std::string(1, c) + any;
          break;
        default:
          damaged += std::string(random() % 300, any);
      }
    }
    return damaged;
  };
}

}  // namespace

TEST_CASE("Console armour: a byte damaged at every position on the way to the answerer") {
  damage_every_position(true);
}

TEST_CASE("Console armour: a byte damaged at every position on the way to the caller") {
  damage_every_position(false);
}

TEST_CASE(
    "Console armour: cut off after every byte, the peer is reported lost within the deadline") {
  const std::size_t size = recorded_size(true);
  std::size_t whole = 0;
  for (std::size_t position = 0; position < size; position += 3) {
    World world = short_world();
    std::size_t left = position;
    world.console.to_answerer = [&left](std::string bytes) {
      bytes.resize(std::min(bytes.size(), left));
      left -= bytes.size();
      return bytes;
    };
    script(world);
    world.run(Time{61'000});
    INFO("cut at ", position);
    REQUIRE(right_so_far(world.answerer.received, from_caller()));
    REQUIRE(right_so_far(world.caller.received, from_answerer()));
    if (complete(world)) {
      ++whole;
    } else {
      REQUIRE(!(world.caller.faults.empty() && world.answerer.faults.empty()));
    }
  }
  CHECK(whole < size / 3);
}

TEST_CASE("Console armour: random damage in both directions gives the same stream") {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    World world = short_world();
    world.console.to_answerer = random_damage(seed, 400);
    world.console.to_caller = random_damage(seed + 1'000'000, 400);
    if (seed % 2 == 0) world.console.echo = [](const std::string& bytes) { return bytes; };
    world.console.piece = seed % 3 == 0 ? 1 : 0;
    script(world);
    world.run();
    INFO("seed ", seed);
    REQUIRE(right_so_far(world.answerer.received, from_caller()));
    REQUIRE(right_so_far(world.caller.received, from_answerer()));
    // The last word can be lost in both of its copies; everything else arrives.
    REQUIRE(world.caller.received == from_answerer());
    REQUIRE(world.answerer.received == from_caller());
  }
}

TEST_CASE(
    "Console armour: damage so dense that nothing passes ends in faults, never in wrong bytes") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    World world = short_world();
    world.console.to_answerer = random_damage(seed, 25);
    world.console.to_caller = random_damage(seed + 1'000'000, 25);
    script(world);
    world.run();
    INFO("seed ", seed);
    REQUIRE(right_so_far(world.answerer.received, from_caller()));
    REQUIRE(right_so_far(world.caller.received, from_answerer()));
    REQUIRE(!world.caller.faults.empty());
    REQUIRE(!world.caller.faults.front().text.empty());
  }
}
