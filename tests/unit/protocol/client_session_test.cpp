#include "protocol/client_session.hpp"

#include <doctest/doctest.h>

#include "protocol/server_session.hpp"
#include "tests/unit/protocol/rpc_vectors.hpp"
#include "tests/unit/protocol/session_support.hpp"

using namespace hearth::protocol;
using test::encoded;
using test::joined;
using test::Lines;
using test::rpc;
using test::rpc_piece;
using test::sent;
using test::text_bytes;

namespace {

const std::string hello_json = R"({"msg":"Hello","max":1,"min":1})";

struct EventName {
  std::string operator()(const ServerReady& e) const {
    return "ready " + std::to_string(e.version);
  }
  std::string operator()(const ResultPacket& e) const { return test::described(*e.packet); }
  std::string operator()(const CommandDone& e) const { return "done " + e.nonce; }
  std::string operator()(const ServerError& e) const { return "server error: " + e.text; }
  std::string operator()(const ServerOutput& e) const {
    return std::string(e.file) + ": " + std::string(as_text(e.bytes)) + (e.eof ? " (end)" : "");
  }
  std::string operator()(const ForeignOutput& e) const {
    return "foreign: " + std::string(as_text(e.bytes));
  }
  std::string operator()(const PeerFault& e) const { return e.fatal ? "FATAL" : "fault"; }
};

Lines events(ClientSession& session) {
  Lines all;
  while (const auto event = session.next()) all.push_back(std::visit(EventName{}, *event));
  return all;
}

Lines received(ClientSession& session, const Bytes& bytes) {
  session.receive(bytes);
  return events(session);
}

Lines ended(ClientSession& session) {
  session.receive_eof();
  return events(session);
}

ClientSession ready_session() {
  ClientSession session("c-");
  CHECK(sent(session) == Lines{hello_json});
  CHECK(received(session, rpc(Hello{})) == Lines{"ready 1"});
  return session;
}

Bytes error_packet(std::string_view text) {
  Bytes out;
  append_rpc_error(text, out);
  return out;
}

const std::vector<std::string> ids{"a", "b"};

}  // namespace

TEST_CASE(
    "Client session: says Hello from the start, and holds commands back until the server has") {
  ClientSession session("c-");
  CHECK(session.list(std::nullopt) == "c-1");
  CHECK(session.run(ids) == "c-2");
  session.goodbye();
  CHECK(sent(session) == Lines{hello_json});
  CHECK(received(session, rpc(Hello{})) == Lines{"ready 1"});
  CHECK(sent(session) == Lines{R"({"msg":"List","nonce":"c-1"})",
                               R"({"msg":"Run","tests":["a","b"],"nonce":"c-2"})",
                               R"({"msg":"Goodbye"})"});
  CHECK(session.in_flight() == 2);
}

TEST_CASE("Client session: a Run that postpones the programs' end says so, another says nothing") {
  auto session = ready_session();
  (void)session.run(ids);
  (void)session.run(ids, false);
  CHECK(sent(session) == Lines{R"({"msg":"Run","tests":["a","b"],"nonce":"c-1"})",
                               R"({"msg":"Run","tests":["a","b"],"exit":false,"nonce":"c-2"})"});
}

TEST_CASE("Client session: nonces of two sessions differ, and those of one too") {
  ClientSession one;
  ClientSession other;
  const auto first = one.list(std::nullopt);
  CHECK(first != one.list(std::nullopt));
  CHECK(first != other.list(std::nullopt));
}

TEST_CASE("Client session: each state takes each message as its table says") {
  struct Row {
    Message message;
    std::string before_hello, ready;
  };
  const std::vector<Row> table{
      {Hello{{4, 1}}, "ready 1", "fault"},
      {Hello{{4, 2}}, "FATAL", "fault"},
      {Goodbye{}, "fault", "fault"},
      {List{std::nullopt, "c-1"}, "fault", "fault"},
      {Run{std::nullopt, "c-1"}, "fault", "fault"},
      {Done{"c-1"}, "fault", "done c-1"},
      {Done{"other"}, "fault", "fault"},
  };
  for (const auto& row : table) {
    const auto json = to_json(row.message);
    CAPTURE(json);
    ClientSession fresh("c-");
    (void)fresh.list(std::nullopt);
    CHECK(received(fresh, rpc(row.message)) == Lines{row.before_hello});
    auto ready = ready_session();
    (void)ready.list(std::nullopt);
    CHECK(received(ready, rpc(row.message)) == Lines{row.ready});

    auto over = ready_session();
    (void)over.list(std::nullopt);
    CHECK(ended(over) == Lines{"FATAL"});
    CHECK(received(over, rpc(row.message)).empty());
  }
}

TEST_CASE("Client session: Dones come in any order, each once") {
  auto session = ready_session();
  const auto list = session.list(std::nullopt);
  const auto run = session.run(ids);
  CHECK(received(session, joined({rpc(Done{run}), rpc(Done{run}), rpc(Done{list})})) ==
        Lines{"done c-2", "fault", "done c-1"});
  CHECK(session.in_flight() == 0);
  CHECK(ended(session).empty());
}

TEST_CASE("Client session: a command that is abandoned is not in flight; its Done is no fault") {
  auto session = ready_session();
  (void)session.list(std::nullopt);
  (void)session.list(std::nullopt);
  session.abandon("c-1");
  session.abandon("c-1");
  session.abandon("c-7");
  CHECK(session.in_flight() == 1);
  CHECK(received(session, rpc(Done{"c-1"})) == Lines{"done c-1"});
  CHECK(received(session, rpc(Done{"c-1"})) == Lines{"fault"});
  CHECK(session.in_flight() == 1);
}

TEST_CASE("Client session: results, errors and foreign bytes are told apart") {
  auto session = ready_session();
  const auto result = encoded({.status = TestStatus::success, .test_id = "a", .route_code = "1"});
  CHECK(received(session, joined({result, error_packet("why"), text_bytes("banner\n"), result})) ==
        Lines{"a success @1", "server error: why", "foreign: banner\n", "a success @1"});
}

TEST_CASE("Client session: what those in between pass on is told apart from errors") {
  Bytes packets;
  const auto add = [&](std::string_view file, std::optional<std::string_view> type, bool eof) {
    REQUIRE(encode({.test_id = rpc_test_id,
                    .mime_type = type,
                    .file_name = file,
                    .file_content = as_bytes("words"),
                    .eof = eof},
                   packets));
  };
  add("stdout", "text/plain;charset=utf8", false);
  add("stdout", std::nullopt, false);
  add("stderr", "application/octet-stream", true);
  add("error", "text/plain;charset=utf8", true);
  const Lines expected{"stdout: words", "stdout: words", "stderr: words (end)",
                       "server error: words"};
  auto session = ready_session();
  CHECK(received(session, packets) == expected);
  ClientSession early("c-");
  CHECK(received(early, packets) == expected);
}

TEST_CASE("Client session: a packet's views last until the next receive") {
  auto session = ready_session();
  session.receive(joined({encoded({.test_id = "first"}), encoded({.test_id = "second"})}));
  const auto first = session.next();
  REQUIRE(first);
  const auto id = std::get<ResultPacket>(*first).packet->test_id;
  (void)session.next();
  CHECK(id == "first");
}

TEST_CASE("Client session: a server's faults are reported, and the session goes on") {
  auto damaged = encoded({.test_id = "a test with a name"});
  damaged[12] ^= std::byte{1};
  const auto bare = encoded({.status = TestStatus::exists, .test_id = rpc_test_id});
  for (const auto& bytes : {rpc_piece("{"), rpc_piece("[]"), rpc_piece(R"({"msg":"Done"})"),
                            damaged, bare, rpc_piece("{}", true, std::nullopt)}) {
    auto session = ready_session();
    CHECK(received(session, bytes) == Lines{"fault"});
    const auto nonce = session.list(std::nullopt);
    CHECK(received(session, rpc(Done{nonce})) == Lines{"done " + nonce});
  }
}

TEST_CASE("Client session: a result before the server's Hello is a fault, and is not handed out") {
  ClientSession session("c-");
  CHECK(received(session, joined({encoded({.test_id = "a"}), rpc(Hello{})})) ==
        Lines{"fault", "ready 1"});
}

TEST_CASE("Client session: the end of the stream is judged by what was to come") {
  ClientSession silent("c-");
  CHECK(ended(silent) == Lines{"FATAL"});

  auto idle = ready_session();
  CHECK(ended(idle).empty());

  auto waiting = ready_session();
  (void)waiting.run(ids);
  CHECK(ended(waiting) == Lines{"FATAL"});

  auto leaving = ready_session();
  (void)leaving.run(ids);
  leaving.goodbye();
  CHECK(ended(leaving).empty());

  auto cut_off = ready_session();
  (void)cut_off.run(ids);
  CHECK(received(cut_off, rpc_piece("{\"msg\":", false)).empty());
  CHECK(ended(cut_off) == Lines{"fault", "FATAL"});
}

TEST_CASE("Client session: Goodbye is sent once") {
  auto session = ready_session();
  session.goodbye();
  session.goodbye();
  CHECK(sent(session) == Lines{R"({"msg":"Goodbye"})"});
}

TEST_CASE("Client session: a stream cut off or changed anywhere never throws") {
  const auto stream = joined(
      {rpc(Hello{}), encoded({.status = TestStatus::fail, .test_id = "a"}), rpc(Done{"c-1"})});
  for (std::size_t at = 0; at < stream.size(); ++at) {
    CAPTURE(at);
    for (const bool cut : {true, false}) {
      auto bytes = stream;
      if (cut)
        bytes.resize(at);
      else
        bytes[at] ^= std::byte{0x55};
      ClientSession session("c-");
      (void)session.list(std::nullopt);
      (void)received(session, bytes);
      const auto end = ended(session);
      if (cut) CHECK(end.back() == "FATAL");
    }
  }
}

namespace {

// Moves what each end has to say to the other, `piece` bytes at a time, until both are silent.
struct Pair {
  ClientSession client{"c-"};
  ServerSession server;
  std::size_t piece;
  Lines seen;

  explicit Pair(std::size_t bytes) : piece(bytes) {}

  template <typename From, typename To>
  bool move(From& from, To& to) {
    const auto bytes = from.output().first(std::min(piece, from.output().size()));
    to.receive(bytes);
    from.consume(bytes.size());
    return !bytes.empty();
  }

  void serve(const ServerEvent& event) {
    if (const auto* list = std::get_if<ListRequested>(&event)) {
      for (const auto& id : list->tests.value_or(ids)) server.exists(list->ordinal, id);
      server.done(list->ordinal);
    } else if (const auto* run = std::get_if<RunRequested>(&event)) {
      for (const auto& id : run->tests.value_or(ids)) {
        server.started(run->ordinal, id, Timestamp{});
        server.finished(run->ordinal, id, TestStatus::success, Timestamp{});
      }
      server.done(run->ordinal);
    }
  }

  void settle() {
    for (bool moved = true; moved;) {
      moved = move(client, server);
      while (const auto event = server.next()) serve(*event);
      moved = move(server, client) || moved;
      for (auto& event : events(client)) seen.push_back(std::move(event));
    }
  }
};

}  // namespace

TEST_CASE("Sessions: back to back, in pieces of any size, several commands in flight") {
  for (std::size_t piece : {1, 5, 1000, 1'000'000}) {
    CAPTURE(piece);
    Pair pair(piece);
    (void)pair.client.list(std::nullopt);
    (void)pair.client.run(std::vector<std::string>{"b"});
    (void)pair.client.list(std::vector<std::string>{});
    pair.settle();
    CHECK(pair.seen == Lines{"ready 1", "a exists @1", "b exists @1", "done c-1", "b inprogress @2",
                             "b success @2", "done c-2", "done c-3"});
  }
}

TEST_CASE("Sessions: a Run above one packet, and its results, arrive whole") {
  std::vector<std::string> many;
  for (int i = 0; i < 200'000; ++i)
    many.push_back("program.Suite.a_rather_long_name_of_a_test_" + std::to_string(i));
  Pair pair(1 << 18);
  const auto nonce = pair.client.run(many);
  pair.settle();
  REQUIRE(pair.seen.size() == 2 + 2 * many.size());
  CHECK(pair.seen[1] == many.front() + " inprogress @1");
  CHECK(pair.seen[2 * many.size()] == many.back() + " success @1");
  CHECK(pair.seen.back() == "done " + nonce);
}

TEST_CASE("Sessions: those of the vectors, byte by byte, as a server and as a client") {
  for (const auto& vector : test::read_vectors("sessions.json")) {
    const auto name = vector.at("name").get<std::string>();
    CAPTURE(name);
    ServerSession server;
    ClientSession client("c-");
    Lines answers;
    Lines expected;
    for (const auto& step : vector.at("steps")) {
      const auto what = step.at("what").get<std::string>();
      CAPTURE(what);
      const auto bytes = test::part_bytes(step);
      if (step.at("from") == "server") {
        client.receive(as_bytes(bytes));
        for (const auto& event : events(client))
          CHECK_MESSAGE((event != "fault" && event != "FATAL"), event);
        if (what == "Hello" || what == "Done" || what == "error") expected.push_back(what);
        continue;
      }
      if (bytes.find("\"nonce\": \"c-") != std::string::npos) (void)client.list(std::nullopt);
      for (const char byte : bytes) {
        server.receive(as_bytes({&byte, 1}));
        while (const auto event = server.next()) {
          if (const auto* list = std::get_if<ListRequested>(&*event)) server.done(list->ordinal);
          if (const auto* run = std::get_if<RunRequested>(&*event)) server.done(run->ordinal);
        }
      }
      for (const auto& line : sent(server))
        answers.push_back(line == "error"                          ? line
                          : line.find("Done") != std::string::npos ? "Done"
                                                                   : "Hello");
    }
    CHECK(answers == expected);
    CHECK(client.in_flight() == 0);
  }
}
