#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/protocol/console_model.hpp"

using namespace hearth::protocol::armour;
using namespace hearth::protocol::armour::test;

namespace {

const Change lost = [](const std::string&) { return std::string(); };

Fault only_fault(const End& end) {
  REQUIRE(end.faults.size() == 1);
  return end.faults.front();
}

bool says(const Fault& fault, std::string_view text) {
  return fault.text.find(text) != std::string::npos;
}

void connect(World& world) {
  world.caller.ends = world.answerer.ends = false;
  while (world.exchange()) {
  }
  REQUIRE(world.caller.connected == 1);
  REQUIRE(world.answerer.connected == 1);
}

}  // namespace

TEST_CASE("Console armour: no other end, and what was heard instead") {
  struct Case {
    Change heard;
    const char* text;
  };
  const Case cases[] = {
      {lost, "not one byte came"},
      {[](const std::string& bytes) { return bytes; }, "only an echo"},
      {[](const std::string&) { return std::string("sh: not found\r\n# "); }, "only other text"},
      {[](std::string bytes) {
         bytes[5] ^= 1;
         return bytes;
       },
       "none whole"},
  };
  for (const Case& one : cases) {
    World world;
    world.answerer.left = true;
    world.console.echo = one.heard;
    world.run();
    const Fault fault = only_fault(world.caller);
    CHECK(fault.cause == FaultCause::no_peer);
    CHECK(says(fault, "30 s"));
    CHECK(says(fault, one.text));
    CHECK(world.now == Time{30'000});
  }
}

TEST_CASE("Console armour: two callers on one console") {
  World world;
  world.answerer.left = true;
  World other;
  other.caller = End(World::with({}, Side::caller, 99));
  const std::string hello = World::take_output(other.caller);
  world.console.echo = [&](const std::string&) { return hello; };
  world.run();
  CHECK(says(only_fault(world.caller), "another program"));
}

TEST_CASE(
    "Console armour: an answerer is silent until it is called, and waits as long as it is told") {
  Options options;
  options.side = Side::answerer;
  ConsoleArmour armour(options);
  armour.tick(Time{0});
  CHECK(armour.output().empty());
  CHECK(armour.next_tick() == Time{30'000});
  options.connect_deadline = Time{0};
  ConsoleArmour patient(options);
  patient.tick(Time{0});
  CHECK(!patient.next_tick());
}

TEST_CASE(
    "Console armour: an answerer that waits for ever is silent again when its caller has gone") {
  Options options;
  options.connect_deadline = Time{0};
  World world(Options{}, options);
  world.deliver(world.answerer, World::take_output(world.caller));
  world.caller.left = true;
  world.answerer.ends = false;
  for (int i = 0; i < 1'000; ++i) {
    world.now += Time{100};
    world.answerer.armour.tick(world.now);
    (void)World::take_output(world.answerer);
  }
  CHECK(std::count(world.answerer.wrote.begin(), world.answerer.wrote.end(), '\n') == 60);
  CHECK(!world.answerer.armour.next_tick());
  world.caller = End(World::with({}, Side::caller, 99));
  world.answerer.ends = true;
  script(world);
  world.run();
  CHECK(complete(world));
}

TEST_CASE("Console armour: a session that has finished has no faults any more") {
  World world;
  script(world);
  world.run();
  REQUIRE(complete(world));
  End second(World::with({}, Side::caller, 99));
  world.deliver(world.answerer, World::take_output(second));
  world.answerer.armour.tick(world.now + Time{100'000});
  world.answerer.armour.give_up();
  world.answerer.drain();
  CHECK(world.answerer.faults.empty());
  CHECK(world.answerer.armour.finished());
}

TEST_CASE("Console armour: an answer that is not heard") {
  World world;
  world.console.to_caller = lost;
  world.run();
  CHECK(only_fault(world.caller).cause == FaultCause::no_peer);
  CHECK(says(only_fault(world.answerer), "did not hear the answer"));
}

TEST_CASE("Console armour: no common version is said at both ends") {
  Options newer;
  newer.min_version = 2;
  newer.max_version = 3;
  World world(Options{}, newer);
  world.run();
  CHECK(only_fault(world.caller).cause == FaultCause::versions);
  CHECK(says(only_fault(world.caller), "speaks versions 2 to 3 of the armour, this end 1 to 1"));
  CHECK(only_fault(world.answerer).cause == FaultCause::versions);
  CHECK(world.now == Time{0});
}

TEST_CASE("Console armour: a later version and this one agree on this one") {
  Options newer;
  newer.max_version = 3;
  World world(newer, Options{});
  script(world);
  world.run();
  CHECK(complete(world));
}

TEST_CASE("Console armour: a peer that is silent is lost after the deadline, not before") {
  World world;
  connect(world);
  world.answerer.left = true;
  world.run();
  CHECK(only_fault(world.caller).cause == FaultCause::lost_peer);
  CHECK(says(only_fault(world.caller), "not heard for 30 s"));
  CHECK(world.now == Time{30'000});
}

TEST_CASE("Console armour: signs of life keep an idle session up") {
  World world;
  connect(world);
  CHECK_THROWS_WITH(world.run(Time{1'000'000}), "the session hangs");
  CHECK(world.caller.faults.empty());
  CHECK(world.answerer.faults.empty());
  CHECK(world.caller.wrote.size() < 8'000);  // a sign of life each 7.5 s
}

TEST_CASE("Console armour: signs of life are sent also where data never stops") {
  World world;
  connect(world);
  const std::string chunk(3'000, 'd');
  std::size_t alone = 0;
  for (int i = 0; i < 600; ++i) {  // a minute
    world.now += Time{100};
    world.caller.armour.tick(world.now);
    world.caller.armour.send(0, view(chunk));
    const std::string out = World::take_output(world.caller);
    if (out.find('\n') < 40) ++alone;
    world.deliver(world.answerer, out);
    world.deliver(world.caller, World::take_output(world.answerer));
    REQUIRE(world.caller.armour.next_tick() > world.now);
  }
  CHECK(alone == 8);
  CHECK(world.answerer.received[0].size() == 600 * chunk.size());
}

TEST_CASE("Console armour: a console that damages every long line") {
  World world;
  connect(world);
  world.console.to_answerer = [](const std::string& bytes) {
    std::string cut;
    for (std::size_t from = 0, end; (end = bytes.find('\n', from)) != std::string::npos;
         from = end + 1)
      cut += bytes.substr(from, std::min<std::size_t>(end - from, 200)) + "\n";
    return cut;
  };
  world.caller.queue(0, std::string(2'000, 'x'));
  world.run();
  CHECK(only_fault(world.caller).cause == FaultCause::no_progress);
  CHECK(says(only_fault(world.caller), "shorter line"));
  CHECK(only_fault(world.answerer).told_by_peer);
  CHECK(says(only_fault(world.answerer), "lines did not arrive here whole"));
  CHECK(world.answerer.received.empty());
  CHECK(world.now <= Time{30'000});
}

TEST_CASE("Console armour: another session that starts on the console ends this one") {
  World world;
  connect(world);
  End second(World::with({}, Side::caller, 99));
  world.deliver(world.answerer, World::take_output(second));
  CHECK(only_fault(world.answerer).cause == FaultCause::superseded);
  world.deliver(world.caller, World::take_output(world.answerer));
  CHECK(only_fault(world.caller).told_by_peer);
  CHECK(says(only_fault(world.caller), "another session"));
}

TEST_CASE("Console armour: a caller that starts again before it has said anything is followed") {
  World world;
  world.answerer.ends = false;
  world.deliver(world.answerer, World::take_output(world.caller));
  CHECK(!World::take_output(world.answerer).empty());
  world.caller = End(World::with({}, Side::caller, 99));
  world.answerer.ends = true;
  script(world);
  world.run();
  CHECK(complete(world));
}

TEST_CASE("Console armour: giving up reaches the other end") {
  World world;
  connect(world);
  world.caller.armour.give_up();
  world.caller.drain();
  CHECK(only_fault(world.caller).cause == FaultCause::given_up);
  world.exchange();
  CHECK(only_fault(world.answerer).told_by_peer);
  CHECK(world.caller.armour.send(0, view("x")) == 0);
}

TEST_CASE("Console armour: a peer that acknowledges what was never sent breaks the rules") {
  World world;
  connect(world);
  Frame frame;
  frame.side = Side::answerer;
  frame.kind = Kind::ack;
  frame.ack = 5;
  hearth::protocol::Bytes line;
  append_line(frame, SessionKey{0x11111111, 0x22222222}, line);
  world.caller.armour.feed(line, world.now);
  world.caller.drain();
  CHECK(only_fault(world.caller).cause == FaultCause::bad_frame);
}

TEST_CASE("Console armour: data behind a channel's end breaks the rules") {
  World world;
  connect(world);
  hearth::protocol::Bytes lines;
  for (const Kind kind : {Kind::channel_end, Kind::data}) {
    Frame frame;
    frame.side = Side::answerer;
    frame.kind = kind;
    frame.channel = 3;
    frame.seq = kind == Kind::data ? 1 : 0;
    if (kind == Kind::data) frame.payload = view("x");
    append_line(frame, SessionKey{0x11111111, 0x22222222}, lines);
  }
  world.caller.armour.feed(lines, world.now);
  world.caller.drain();
  CHECK(world.caller.ended == "\3");
  CHECK(only_fault(world.caller).cause == FaultCause::bad_frame);
}

TEST_CASE("Console armour: the last word lost in all its copies is no fault") {
  World world;
  connect(world);
  world.caller.ends = world.answerer.ends = true;
  // The answerer's end arrives at the caller, which leaves at once; its last words are lost.
  while (!world.caller.armour.finished()) {
    const std::string out = World::take_output(world.caller);
    if (!world.caller.armour.finished()) world.deliver(world.answerer, out);
    world.deliver(world.caller, World::take_output(world.answerer));
  }
  world.caller.left = true;
  world.run();
  CHECK(world.answerer.armour.finished());
  CHECK(world.answerer.faults.empty());
  CHECK(world.now <= Time{3'000});
}

TEST_CASE("Console armour: a prompt that looks like a mark is shown after a moment") {
  World world;
  connect(world);
  world.deliver(world.caller, "Password: ");
  CHECK(world.caller.foreign == "Password");
  world.caller.armour.tick(world.now + Time{250});
  world.caller.drain();
  CHECK(world.caller.foreign == "Password: ");
}

TEST_CASE(
    "Console armour: a stream of one byte per second arrives, or is given up at the deadline") {
  World world;
  world.console.to_answerer = lost;
  std::string wrote = World::take_output(world.caller);
  for (const char c : wrote) {
    world.now += Time{1'000};
    world.answerer.armour.feed(view(std::string_view(&c, 1)), world.now);
    world.answerer.armour.tick(world.now);
    world.answerer.drain();
  }
  // A hello of fewer than 30 bytes made it; nothing that is longer would.
  CHECK(wrote.size() < 30);
  CHECK(!World::take_output(world.answerer).empty());
}
