// Two ends on a pair of sockets, with a clock that the test sets.
#include "tunnel/console_link.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>

using namespace hearth;
using namespace hearth::tunnel;
using armour::Side;

namespace {

std::pair<UniqueFd, UniqueFd> sockets() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string read_all(StreamFd& fd) {
  std::string text;
  std::array<std::byte, 8'192> buffer;
  for (;;) {
    const auto got = fd.read(buffer);
    if (got.size == 0) return text;
    text.append(reinterpret_cast<const char*>(buffer.data()), got.size);
  }
}

ByteView view(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// One end, and what is behind its channel 0.
struct End : ConsoleLink::Owner {
  End(Side side, UniqueFd console) {
    armour::Options options;
    options.side = side;
    options.nonce = side == Side::caller ? 1 : 2;
    auto [ours, behind] = sockets();
    rpc = StreamFd::own(std::move(behind));
    auto in = StreamFd::own(duplicate(console.get()));
    link = std::make_unique<ConsoleLink>(std::move(in), StreamFd::own(std::move(console)), options,
                                         *this);
    link->join(0, StreamFd::own(std::move(ours)));
  }
  void on_foreign(std::string_view text, std::uint64_t) override { foreign += text; }
  void on_unjoined(std::uint8_t channel, ByteView bytes) override {
    unjoined[channel].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void on_stream_end() override { link->end_stream(); }
  void on_dropped(std::uint8_t channel) override { dropped = channel; }

  StreamFd rpc;
  std::unique_ptr<ConsoleLink> link;
  std::string foreign;
  std::map<std::uint8_t, std::string> unjoined;
  int dropped = -1;
};

struct World {
  World() {
    auto [one, other] = sockets();
    caller = std::make_unique<End>(Side::caller, std::move(one));
    answerer = std::make_unique<End>(Side::answerer, std::move(other));
    caller->link->begin(now);
  }
  void run(const std::function<bool()>& done) {
    for (int i = 0; i < 100'000; ++i) {
      if (done()) return;
      step();
    }
    FAIL("it takes too long");
  }
  // Time goes on when nothing else does.
  void step() {
    std::vector<pollfd> polls;
    for (auto* end : {caller.get(), answerer.get()})
      if (end) end->link->prepare(polls);
    if (poll(polls.data(), polls.size(), 0) == 0) now += Time{10};
    for (auto* end : {caller.get(), answerer.get()})
      if (end) end->link->handle(now);
  }

  Time now{0};
  std::unique_ptr<End> caller;
  std::unique_ptr<End> answerer;
};

}  // namespace

TEST_CASE("Console link: both directions, and both ends in good order") {
  World world;
  auto& caller = *world.caller;
  auto& answerer = *world.answerer;
  const std::string question(300'000, 'q');
  const std::string answer(900'000, 'a');
  auto to_send = view(question);
  auto to_answer = view(answer);
  std::string asked;
  std::string answered;
  world.run([&] {
    to_send = to_send.subspan(caller.rpc.write(to_send).size);
    to_answer = to_answer.subspan(answerer.rpc.write(to_answer).size);
    asked += read_all(answerer.rpc);
    answered += read_all(caller.rpc);
    return asked.size() == question.size() && answered.size() == answer.size();
  });
  CHECK((asked == question));
  CHECK((answered == answer));
  answerer.rpc.end_writing();
  world.run([&] { return !answerer.link->reads(0); });
  answerer.link->end_stream();
  world.run([&] { return caller.link->is_over() && answerer.link->is_over(); });
  CHECK(caller.link->trouble().empty());
  CHECK(answerer.link->trouble().empty());
  std::array<std::byte, 1> buffer;
  CHECK(caller.rpc.read(buffer).over);
}

TEST_CASE("Console link: what is typed comes first") {
  auto [console, far] = sockets();
  End caller(Side::caller, std::move(console));
  auto terminal = StreamFd::own(std::move(far));
  caller.link->handle(Time{0});
  CHECK(read_all(terminal).empty());
  CHECK(!caller.link->next_tick());
  caller.link->type("start it\n");
  caller.link->begin(Time{0});
  caller.link->handle(Time{0});
  const std::string said = read_all(terminal);
  CHECK(said.starts_with("start it\n: "));
}

TEST_CASE("Console link: without another end it is over at the deadline") {
  auto [console, far] = sockets();
  End caller(Side::caller, std::move(console));
  caller.link->begin(Time{0});
  caller.link->handle(Time{29'999});
  CHECK(!caller.link->is_over());
  CHECK(caller.link->timeout(Time{29'999}) == 1);
  caller.link->handle(Time{30'000});
  CHECK(caller.link->is_over());
  CHECK(caller.link->trouble().find("not found in 30 s") != std::string::npos);
}

TEST_CASE("Console link: the end of the console itself") {
  auto [console, far] = sockets();
  End caller(Side::caller, std::move(console));
  caller.link->begin(Time{0});
  far.reset();
  caller.link->handle(Time{0});
  CHECK(caller.link->is_over());
  CHECK(caller.link->console_ended());
  CHECK(caller.link->trouble().starts_with("the console ended before the session did"));
}

TEST_CASE("Console link: an end that has finished does not wait for a console that is stopped") {
  auto [console, far] = sockets();
  End caller(Side::caller, duplicate(console.get()));
  auto full = StreamFd::own(std::move(console));
  const std::string filler(100'000, 'x');
  while (full.write(view(filler)).size != 0) {
  }
  caller.link->begin(Time{0});
  caller.link->give_up();
  caller.link->handle(Time{0});
  if (!caller.link->is_over()) {
    CHECK(caller.link->timeout(Time{0}) <= 2'000);
    caller.link->handle(Time{2'000});
  }
  CHECK(caller.link->is_over());
}

TEST_CASE(
    "Console link: a forwarded connection that takes nothing is dropped, and the rest goes on") {
  World world;
  auto& caller = *world.caller;
  auto& answerer = *world.answerer;
  auto [ours, stuck] = sockets();
  auto [source, far] = sockets();
  answerer.link->join(2, StreamFd::own(std::move(ours)));
  caller.link->join(2, StreamFd::own(std::move(source)));
  auto feeder = StreamFd::own(std::move(far));
  const std::string chunk(50'000, 'f');
  world.run([&] {
    (void)feeder.write(view(chunk));
    return answerer.dropped == 2;
  });
  CHECK(world.now >= ConsoleLink::patience);
  CHECK(caller.rpc.write(view("still here")).size == 10);
  std::string heard;
  world.run([&] {
    (void)feeder.write(view(chunk));
    heard += read_all(answerer.rpc);
    return heard == "still here";
  });
}

TEST_CASE("Console link: a local end that takes nothing holds nobody up for ever") {
  World world;
  auto& caller = *world.caller;
  auto& answerer = *world.answerer;
  const std::string chunk(50'000, 's');
  // More than all the buffers between hold.
  for (std::size_t sent = 0; sent < 4'000'000;) {
    const std::size_t size = caller.rpc.write(view(chunk)).size;
    sent += size;
    world.step();
    if (size == 0 && world.now > Time{1'000}) break;
  }
  CHECK_FALSE(answerer.link->is_over());

  SUBCASE("its owner gives up") {
    answerer.link->give_up();
    answerer.link->handle(world.now);
    world.now += Time{2'000};  // for the last word
    answerer.link->handle(world.now);
    CHECK(answerer.link->is_over());
    CHECK_FALSE(answerer.link->trouble().empty());
  }
  SUBCASE("the other end is silent: the patience follows the deadline") {
    const Time silent = world.now;
    const auto step = [&] {
      answerer.link->handle(world.now);
      world.now += Time{100};
    };
    while (!answerer.link->is_over() && world.now < silent + Time{100'000}) step();
    CHECK(answerer.link->is_over());
    CHECK(answerer.link->trouble().find("30 s") != std::string::npos);
  }
  SUBCASE("the console has failed: the patience is at its end") {
    world.caller.reset();
    const Time failed = world.now;
    world.run([&] { return answerer.link->is_over(); });
    CHECK(world.now - failed <= ConsoleLink::patience);
    CHECK(answerer.link->console_ended());
  }
}

TEST_CASE("Console link: channels that nobody joined are the owner's") {
  World world;
  world.caller->link->say(7, "127.0.0.1:99\n");
  world.run([&] { return world.answerer->unjoined[7] == "127.0.0.1:99\n"; });
}

TEST_CASE("Console link: other text comes out for people") {
  auto [console, far] = sockets();
  End caller(Side::caller, std::move(console));
  auto terminal = StreamFd::own(std::move(far));
  (void)terminal.write(view("login: "));
  caller.link->handle(Time{0});
  CHECK(caller.foreign == "login: ");
  caller.link->begin(Time{0});
  (void)terminal.write(view("more: "));
  caller.link->handle(Time{0});
  CHECK(caller.foreign == "login: more");
  caller.link->handle(Time{250});
  CHECK(caller.foreign == "login: more: ");
}

TEST_CASE("Console link: text before the session counts where nobody is found") {
  auto [console, far] = sockets();
  End caller(Side::caller, std::move(console));
  auto terminal = StreamFd::own(std::move(far));
  (void)terminal.write(view("login: "));
  caller.link->handle(Time{0});
  caller.link->begin(Time{0});
  caller.link->handle(Time{30'000});
  CHECK(caller.link->trouble().find("only other text came") != std::string::npos);
}
