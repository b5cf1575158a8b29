#include <doctest/doctest.h>

#include <utility>

#include <algorithm>

#include "tests/unit/protocol/console_model.hpp"

using namespace hearth::protocol::armour;
using namespace hearth::protocol::armour::test;

namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

void require_complete(World& world) {
  script(world);
  world.run();
  REQUIRE(world.caller.connected == 1);
  REQUIRE(world.answerer.connected == 1);
  REQUIRE(complete(world));
}

}  // namespace

TEST_CASE("Console armour: a session over a good line, whole and in pieces of every small size") {
  for (std::size_t piece : {0, 1, 2, 3, 7, 64, 255}) {
    World world;
    world.console.piece = piece;
    require_complete(world);
    CHECK(world.caller.armour.resent() + world.answerer.armour.resent() == 0);
    CHECK(world.caller.foreign.empty());
    CHECK(world.answerer.foreign.empty());
    CHECK(world.now == Time{0});
  }
}

TEST_CASE("Console armour: the caller writes printable lines of at most the agreed length") {
  for (const std::uint16_t line : {255, 1024, 4096}) {
    Options options;
    options.line = line;
    World world(options);
    world.caller.queue(0, std::string(100'000, 'x'));
    world.run();
    REQUIRE(world.answerer.received[0].size() == 100'000);
    std::size_t longest = 0;
    for (std::size_t from = 0; from < world.caller.wrote.size();) {
      const std::size_t end = world.caller.wrote.find('\n', from);
      REQUIRE(end != std::string::npos);
      longest = std::max(longest, end + 1 - from);
      REQUIRE(std::all_of(world.caller.wrote.begin() + static_cast<std::ptrdiff_t>(from),
                          world.caller.wrote.begin() + static_cast<std::ptrdiff_t>(end),
                          [](char c) { return c >= ' ' && c <= '~'; }));
      from = end + 1;
    }
    CHECK(longest <= line);
    CHECK(longest + 2 >= line);
  }
}

TEST_CASE("Console armour: at most 1.4 bytes for each byte of bulk where nothing is lost") {
  World world;
  constexpr std::size_t bulk = 3'000'000;
  world.caller.queue(0, std::string(bulk, 'c'));
  world.answerer.queue(0, std::string(bulk, 'a'));
  world.run();
  REQUIRE(world.answerer.received[0].size() == bulk);
  REQUIRE(world.caller.received[0].size() == bulk);
  // 1024 / 750 for full lines is 1.3653; acknowledgements and the handshake are the rest.
  CHECK(1000 * world.caller.wrote.size() <= 1375 * bulk);
  CHECK(1000 * world.answerer.wrote.size() <= 1375 * bulk);
}

TEST_CASE("Console armour: bulk one way costs next to nothing the other way") {
  World world;
  constexpr std::size_t bulk = 1'000'000;
  world.answerer.queue(0, std::string(bulk, 'a'));
  world.run();
  REQUIRE(world.caller.received[0].size() == bulk);
  CHECK(1000 * (world.caller.wrote.size() + world.answerer.wrote.size()) <= 1400 * bulk);
}

TEST_CASE("Console armour: an echo of its own lines is dropped") {
  World world;
  world.console.echo = [](const std::string& bytes) { return bytes; };
  require_complete(world);
  CHECK(world.caller.foreign.empty());
}

TEST_CASE("Console armour: an echo with translated line ends, cut at 80 columns") {
  World world;
  world.console.echo = [](const std::string& bytes) {
    std::string wrapped;
    for (std::size_t at = 0; at < bytes.size(); at += 80) wrapped += bytes.substr(at, 80) + "\r\n";
    return wrapped;
  };
  require_complete(world);
  CHECK(world.caller.foreign.empty());
}

TEST_CASE("Console armour: line ends translated in every way, or left out") {
  for (const char* line_end : {"\r\n", "\r", "\r\r\n", "\n\n", "", "\0\n"}) {
    World world;
    world.console.to_answerer = world.console.to_caller = [&](const std::string& bytes) {
      return replaced(bytes, "\n", line_end);
    };
    require_complete(world);
    CHECK(world.caller.armour.resent() == 0);
    CHECK(world.answerer.foreign.empty());
  }
}

TEST_CASE("Console armour: XON, XOFF and padding anywhere cost nothing") {
  World world;
  world.console.to_answerer = world.console.to_caller = [](const std::string& bytes) {
    std::string noisy;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      noisy += bytes[i];
      if (i % 50 == 7) noisy += '\x13';
      if (i % 50 == 8) noisy += '\x11';
      if (i % 50 == 9) noisy += '\0';
    }
    return noisy;
  };
  require_complete(world);
  CHECK(world.caller.armour.resent() == 0);
  CHECK(world.answerer.armour.resent() == 0);
}

TEST_CASE("Console armour: an XOFF that damage has made does not stop the console for good") {
  World world;
  script(world);
  bool stopped = false;
  std::string held;
  std::size_t until_stop = 0;
  SUBCASE("before the session") {
    stopped = true;
  }
  SUBCASE("as it begins") {
    until_stop = 1;
  }
  SUBCASE("in the middle of it") {
    until_stop = 900;
  }
  world.console.to_answerer = [&](std::string bytes) {
    if (bytes.find('\x11') != std::string::npos) stopped = false;
    if (until_stop != 0 && world.caller.wrote.size() >= until_stop) {
      stopped = true;
      until_stop = 0;
    }
    return bytes;
  };
  world.console.to_caller = [&](const std::string& bytes) {
    held += bytes;
    return stopped ? std::string() : std::exchange(held, {});
  };
  world.run();
  CHECK(complete(world));
  CHECK(world.caller.wrote.find('\x11') != std::string::npos);
  CHECK(world.now < Time{15'000});
}

TEST_CASE("Console armour: lines that the console cuts at 4,096 bytes") {
  // A canonical line discipline: of what is longer than 4,095 bytes without a line end, the rest is
  // dropped. Here 3,500 bytes have been typed before the session.
  std::string typed(3'500, '#');
  World world;
  world.console.to_answerer = [&typed](const std::string& bytes) {
    std::string delivered;
    for (const char c : bytes) {
      if (c == '\n') {
        delivered += typed + c;
        typed.clear();
      } else if (typed.size() < 4'095) {
        typed += c;
      }
    }
    return delivered;
  };
  world.caller.queue(0, std::string(20'000, 'x'));
  world.run();
  CHECK((world.answerer.received[0] == std::string(20'000, 'x')));
  CHECK(world.answerer.foreign == std::string(3'500, '#'));
  CHECK(world.caller.armour.resent() == 0);
}

TEST_CASE("Console armour: a canonical queue of 4,096 bytes that drops what does not fit") {
  // As above, and the reader takes what is there only when a whole write has gone in.
  Options options;
  options.line = 255;
  World world(options);
  world.console.to_answerer = [](const std::string& bytes) { return bytes.substr(0, 4'096); };
  world.caller.queue(0, std::string(50'000, 'x'));
  world.run();
  CHECK((world.answerer.received[0] == std::string(50'000, 'x')));
  CHECK(world.caller.armour.resent() > 0);
  CHECK(world.caller.faults.empty());
}

TEST_CASE("Console armour: kernel messages in the middle of lines") {
  const std::string message = "[   12.345678] usb 1-1: new high-speed device: number 4.\r\n";
  for (std::size_t every : {2'000, 700, 450}) {
    World world;
    std::size_t until = every / 2;
    world.console.to_caller = [&](const std::string& bytes) {
      std::string noisy;
      for (const char c : bytes) {
        noisy += c;
        if (--until == 0) {
          noisy += message;
          until = every;
        }
      }
      return noisy;
    };
    Options options;
    options.line = 255;
    world.answerer = End(World::with(options, Side::answerer, 5));
    world.answerer.queue(0, std::string(30'000, 'y'));
    world.run();
    CHECK((world.caller.received[0] == std::string(30'000, 'y')));
    CHECK(world.caller.faults.empty());
    CHECK(world.caller.foreign.find(message) != std::string::npos);
    CHECK(world.answerer.armour.resent() > 0);
  }
}

TEST_CASE("Console armour: a login and a prompt before, a prompt after") {
  World world;
  bool first = true;
  const std::string banner =
      "Debian GNU/Linux 12 host ttyS0\r\n\r\nhost login: root\r\nLast: never.\r\nroot@host:~# ";
  world.console.to_caller = [&](const std::string& bytes) {
    const std::string before = first ? banner : "";
    first = false;
    return before + bytes;
  };
  script(world);
  world.run();
  CHECK(complete(world));
  world.deliver(world.caller, "root@host:~# ");
  CHECK(world.caller.foreign == banner + "root@host:~# ");
}

TEST_CASE("Console armour: a shell that is not yet the other end") {
  // The first hellos go to a shell, which echoes them and says nothing of use.
  World world;
  int hellos = 3;
  world.console.to_answerer = [&](const std::string& bytes) {
    return hellos-- > 0 ? std::string() : bytes;
  };
  world.console.echo = [](const std::string& bytes) { return replaced(bytes, "\n", "\r\n# "); };
  require_complete(world);
  CHECK(world.now == Time{1'500});
}

TEST_CASE("Console armour: lines that an earlier session left behind") {
  World before;
  script(before);
  before.run();
  World world;
  world.answerer = End(World::with({}, Side::answerer, 77));
  bool first = true;
  world.console.to_answerer = [&](const std::string& bytes) {
    const std::string left = first ? before.caller.wrote : "";
    first = false;
    return left + bytes;
  };
  world.console.to_caller = [&](const std::string& bytes) { return before.answerer.wrote + bytes; };
  world.caller = End(World::with({}, Side::caller, 78));
  require_complete(world);
}

TEST_CASE("Console armour: a console that repeats itself from the beginning") {
  World world;
  std::string scrollback;
  world.console.to_caller = [&](const std::string& bytes) {
    scrollback += bytes;
    return scrollback;
  };
  require_complete(world);
}

TEST_CASE("Console armour: the smaller line and window of both ends hold") {
  Options narrow;
  narrow.line = 255;
  narrow.window = 1;
  for (const bool caller_is_narrow : {false, true}) {
    World world(caller_is_narrow ? narrow : Options{}, caller_is_narrow ? Options{} : narrow);
    script(world);
    world.run();
    CHECK(complete(world));
    for (const End* end : {&world.caller, &world.answerer}) {
      std::size_t from = 0;
      for (std::size_t end_of_line;
           (end_of_line = end->wrote.find('\n', from)) != std::string::npos; from = end_of_line + 1)
        CHECK(end_of_line + 1 - from <= 255);
    }
  }
}

TEST_CASE("Console armour: a channel ends, the others go on") {
  World world;
  world.caller.ends = world.answerer.ends = false;
  world.caller.armour.send(3, view("last words"));
  world.caller.armour.end_channel(3);
  CHECK(world.caller.armour.send(3, view("too late")) == 0);
  world.caller.armour.send(4, view("still here"));
  world.caller.armour.end_stream();
  CHECK(world.caller.armour.send(4, view("too late")) == 0);
  world.answerer.ends = true;
  world.run();
  CHECK(world.answerer.received[3] == "last words");
  CHECK(world.answerer.received[4] == "still here");
  CHECK(world.answerer.ended == "\3");
  CHECK(world.caller.armour.finished());
}

TEST_CASE("Console armour: an owner that does not take its data stops the peer, and nothing else") {
  World world;
  world.caller.ends = world.answerer.ends = false;
  while (world.exchange()) {
  }
  REQUIRE(world.caller.connected == 1);
  // The answerer writes; the caller feeds its machine and never asks for events.
  std::size_t sent = 0;
  std::size_t output = 0;
  const std::string bulk(4'000, 'z');
  const auto pump = [&] {
    for (int round = 0; round < 200; ++round) {
      sent += world.answerer.armour.send(0, view(bulk));
      const auto out = world.answerer.armour.output();
      output += out.size();
      world.caller.armour.feed(out, world.now);
      world.answerer.armour.consume(out.size());
      const auto back = world.caller.armour.output();
      world.answerer.armour.feed(back, world.now);
      world.caller.armour.consume(back.size());
    }
  };
  pump();
  CHECK(sent <= 255 * 750 + Sender::max_queued);
  const std::size_t stalled = sent;
  for (int second = 1; second < 300; ++second) {  // ten deadlines: silence there is none
    world.now = Time{1'000 * second};
    world.caller.armour.tick(world.now);
    world.answerer.armour.tick(world.now);
    pump();
  }
  CHECK(sent == stalled);
  world.answerer.drain();
  CHECK(world.answerer.faults.empty());
  for (int round = 0; round < 5; ++round) {
    world.caller.drain();
    pump();
  }
  world.caller.drain();
  CHECK(world.caller.faults.empty());
  CHECK(sent > 2 * stalled);
  CHECK(world.caller.received[0].size() > stalled);
}

TEST_CASE("Console armour: numbers beyond the smallest ring, with losses all along") {
  Options options;
  options.line = 255;
  World world(options);
  std::size_t count = 0;
  world.console.to_answerer = [&](std::string bytes) {
    for (auto& c : bytes)
      if (++count % 5'003 == 0) c = '!';
    return bytes;
  };
  const std::string bulk(400'000, 'b');
  world.caller.queue(9, bulk);
  world.run();
  CHECK((world.answerer.received[9] == bulk));
  CHECK(world.caller.armour.resent() > 50);
  CHECK(world.caller.armour.resent() < 500);
}

TEST_CASE("Console armour: a slow console gets nothing twice") {
  // 9,600 baud, and 4,096 bytes in the driver's queue.
  World world;
  world.caller.ends = world.answerer.ends = false;
  while (world.exchange()) {
  }
  const std::string bulk(40'000, 's');
  auto left = view(bulk);
  std::string queue;
  while (world.answerer.received[0].size() < bulk.size()) {
    world.now += Time{100};
    REQUIRE(world.now < Time{70'000});
    world.deliver(world.answerer, queue.substr(0, 96));
    queue.erase(0, 96);
    world.deliver(world.caller, World::take_output(world.answerer));
    left = left.subspan(world.caller.armour.send(0, left));
    world.caller.armour.tick(world.now);
    const auto out = world.caller.armour.output();
    const std::size_t taken = std::min(out.size(), 4'096 - queue.size());
    queue.append(reinterpret_cast<const char*>(out.data()), taken);
    world.caller.armour.consume(taken);
  }
  CHECK((world.answerer.received[0] == bulk));
  CHECK(world.caller.faults.empty());
  CHECK(world.caller.armour.resent() <= 6);  // what was in the queue when the last was written
}
