#include "protocol/server_session.hpp"

#include <doctest/doctest.h>

#include "tests/unit/protocol/session_support.hpp"

using namespace hearth::protocol;
using namespace std::string_literals;
using test::encoded;
using test::joined;
using test::Lines;
using test::rpc;
using test::rpc_piece;
using test::sent;
using test::text_bytes;

namespace {

constexpr Timestamp noon{std::chrono::seconds(1'800'000'000)};
const std::string hello_json = R"({"msg":"Hello","max":1,"min":1})";

std::string ids_text(const std::optional<std::vector<std::string>>& tests) {
  if (!tests) return " all";
  std::string text = " [";
  for (const auto& id : *tests) text += id + ",";
  return text + "]";
}

struct EventName {
  std::string operator()(const ListRequested& e) const {
    return "List " + std::to_string(e.ordinal) + ids_text(e.tests);
  }
  std::string operator()(const RunRequested& e) const {
    return "Run " + std::to_string(e.ordinal) + ids_text(e.tests) + (e.exit ? "" : " no exit");
  }
  std::string operator()(const ClientSaidGoodbye&) const { return "Goodbye"; }
  std::string operator()(const SessionRefused&) const { return "Refused"; }
};

// Every event that is there to read.
Lines events(ServerSession& session) {
  Lines all;
  while (const auto event = session.next()) all.push_back(std::visit(EventName{}, *event));
  return all;
}

Lines received(ServerSession& session, const Bytes& bytes) {
  session.receive(bytes);
  return events(session);
}

ServerSession ready_session() {
  ServerSession session;
  CHECK(received(session, rpc(Hello{})).empty());
  CHECK(sent(session) == Lines{hello_json});
  return session;
}

// The session still takes commands.
void check_alive(ServerSession& session) {
  CHECK(received(session, rpc(List{std::vector<std::string>{"alive"}, "alive"})).size() == 1);
}

const Message list_n = List{std::nullopt, "n"};
const Message run_n = Run{std::vector<std::string>{"a", "b"}, "n"};

}  // namespace

TEST_CASE("Server session: says nothing before the client's Hello") {
  const ServerSession session;
  CHECK(session.output().empty());
}

TEST_CASE("Server session: each state answers each message as its table says") {
  struct Row {
    Message message;
    Lines before_hello, before_hello_sent;
    Lines ready, ready_sent;
  };
  const std::vector<Row> table{
      {Hello{{3, 1}}, {}, {hello_json}, {}, {"error"}},
      {Hello{{3, 2}}, {"Refused"}, {hello_json}, {}, {"error"}},
      {list_n, {}, {"error"}, {"List 1 all"}, {}},
      {run_n, {}, {"error"}, {"Run 1 [a,b,]"}, {}},
      {Goodbye{}, {"Goodbye"}, {}, {"Goodbye"}, {}},
      {Done{"n"}, {}, {"error"}, {}, {"error"}},
  };
  for (const auto& row : table) {
    const auto json = to_json(row.message);
    CAPTURE(json);
    ServerSession fresh;
    CHECK(received(fresh, rpc(row.message)) == row.before_hello);
    CHECK(sent(fresh) == row.before_hello_sent);
    auto ready = ready_session();
    CHECK(received(ready, rpc(row.message)) == row.ready);
    CHECK(sent(ready) == row.ready_sent);

    auto over = ready_session();
    CHECK(received(over, rpc(Goodbye{})) == Lines{"Goodbye"});
    CHECK(received(over, rpc(row.message)).empty());
    CHECK(sent(over).empty());
  }
}

TEST_CASE("Server session: after a refused command Hello still begins the session") {
  ServerSession session;
  CHECK(received(session, rpc(run_n)).empty());
  CHECK(received(session, rpc_piece(R"({"msg":"Hello","max":0,"min":1})")).empty());
  CHECK(sent(session) == Lines{"error", "error"});
  CHECK(received(session, joined({rpc(Hello{}), rpc(list_n)})) == Lines{"List 1 all"});
  CHECK(sent(session) == Lines{hello_json});
}

TEST_CASE(
    "Server session: disjoint versions are refused with its Hello, and nothing is read after") {
  ServerSession session;
  session.receive(joined({rpc(Hello{{9, 2}}), rpc(list_n)}));
  const auto event = session.next();
  REQUIRE(event);
  const auto& reason = std::get<SessionRefused>(*event).reason;
  CHECK(reason.find("versions 2 to 9") != std::string::npos);
  CHECK(reason.find("version 1") != std::string::npos);
  CHECK_FALSE(session.next());
  session.exists(1, "a");
  session.report_error("late");
  CHECK(sent(session) == Lines{hello_json});
}

TEST_CASE("Server session: the highest common version is spoken") {
  ServerSession session(VersionRange{4, 2});
  CHECK(received(session, joined({rpc(Hello{{9, 3}}), rpc(list_n)})) == Lines{"List 1 all"});
  CHECK(sent(session) == Lines{R"({"msg":"Hello","max":4,"min":2})"});
}

TEST_CASE(
    "Server session: refused commands get their error, then their Done where there is a nonce") {
  const std::string done_n = R"({"msg":"Done","nonce":"n"})";
  const std::vector<std::pair<std::string, Lines>> table{
      {R"({"msg":"Run"})", {"error"}},
      {R"({"msg":"Run","nonce":5})", {"error"}},
      {R"({"msg":"Run","tests":null,"nonce":"n"})", {"error", done_n}},
      {R"({"msg":"List","tests":[1],"nonce":"n"})", {"error", done_n}},
      {R"({"msg":"Run","tests":["a\u0000"],"nonce":"n"})", {"error", done_n}},
      {R"({"msg":"Frobnicate","nonce":"n"})", {"error"}},
      {R"({"msg":"Run","nonce":"n")", {"error"}},
      {R"([])", {"error"}},
      {R"()", {"error"}},
  };
  for (const auto& row : table) {
    const auto& json = row.first;
    CAPTURE(json);
    auto session = ready_session();
    CHECK(received(session, rpc_piece(json)).empty());
    CHECK(sent(session) == row.second);
    check_alive(session);
    ServerSession fresh;
    CHECK(received(fresh, rpc_piece(json)).empty());
    CHECK(sent(fresh) == Lines{"error"});  // no Done before Hello
  }
}

TEST_CASE("Server session: too many ids cost an error, then the Done") {
  const std::vector<std::string> ids(max_message_ids + 1, "a");
  Bytes bytes;
  append_rpc_message(command_json("Run", ids, "big"), bytes);
  auto session = ready_session();
  CHECK(received(session, bytes).empty());
  CHECK(sent(session) == Lines{"error", R"({"msg":"Done","nonce":"big"})"});
  check_alive(session);
}

TEST_CASE(
    "Server session: an answer's packets carry the command's ordinal and the fields of the spec") {
  auto session = ready_session();
  CHECK(received(session, joined({rpc(list_n), rpc(run_n)})) ==
        Lines{"List 1 all", "Run 2 [a,b,]"});
  session.exists(1, "p.a");
  session.done(1);
  session.started(2, "a", noon);
  session.attach(2, "a", "stdout", text_mime_type, as_bytes("half"), false);
  session.attach(2, "a", "stdout", text_mime_type, {}, true);
  constexpr std::array<std::string_view, 1> tags{"slow"};
  session.finished(2, "a", TestStatus::fail, noon, tags);
  session.done(2);
  CHECK(sent(session) == Lines{"p.a exists @1", R"({"msg":"Done","nonce":"n"})", "a inprogress @2",
                               "a @2 'stdout' (text/plain;charset=utf8): half",
                               "a @2 'stdout' (text/plain;charset=utf8) EOF", "a fail @2 #slow",
                               R"({"msg":"Done","nonce":"n"})"});
}

TEST_CASE(
    "Server session: an RPC packet has no status, route or time; results have what they need") {
  auto session = ready_session();
  (void)received(session, rpc(run_n));
  session.started(1, "a", noon);
  session.finished(1, "a", TestStatus::success, noon);
  session.done(1);
  PacketDecoder decoder;
  decoder.feed(session.output());
  const auto packet = [&] { return std::get<PacketView>(decoder.next().value()); };
  for (const auto status : {TestStatus::inprogress, TestStatus::success}) {
    const auto result = packet();
    CHECK(result.status == status);
    CHECK(result.runnable);
    CHECK(result.timestamp == noon);
    CHECK_FALSE(result.file_name);
  }
  const auto done = packet();
  CHECK(done.test_id == rpc_test_id);
  CHECK(done.status == TestStatus::undefined);
  CHECK_FALSE(done.runnable);
  CHECK_FALSE(done.route_code);
  CHECK_FALSE(done.timestamp);
  CHECK(done.tags.empty());
  CHECK(done.mime_type == "application/json");
  CHECK(done.file_name == "message");
  CHECK(done.eof);
}

TEST_CASE("Server session: a Run says whether its programs go through their end") {
  auto session = ready_session();
  const std::vector<std::string> ids{"a", "b"};
  CHECK(received(session, rpc(Run{ids, "n"})) == Lines{"Run 1 [a,b,]"});
  CHECK(received(session, rpc(Run{ids, "n", false})) == Lines{"Run 2 [a,b,] no exit"});
  CHECK(received(session, rpc_piece(R"({"msg":"Run","exit":1,"nonce":"m"})")).empty());
  CHECK(sent(session) == Lines{"error", R"({"msg":"Done","nonce":"m"})"});
}

TEST_CASE("Server session: Done is sent once, for commands that were given") {
  auto session = ready_session();
  (void)received(session, joined({rpc(Run{std::nullopt, "x"}), rpc(Run{std::nullopt, "x"})}));
  session.done(3);
  session.done(0);
  CHECK(sent(session).empty());
  session.done(2);
  session.done(2);
  CHECK(sent(session).size() == 1);
  session.done(1);
  CHECK(sent(session).size() == 1);
}

TEST_CASE("Server session: the RPC's own id never leaves as a test's") {
  auto session = ready_session();
  const std::string reserved(rpc_test_id);
  CHECK(received(session, rpc(Run{std::vector{reserved, "a"s, reserved}, "n"})) ==
        Lines{"Run 1 [a,]"});
  CHECK(sent(session) == Lines{"error"});
  session.exists(1, reserved);
  session.started(1, reserved, noon);
  session.attach(1, reserved, "stdout", text_mime_type, as_bytes("x"), true);
  session.finished(1, reserved, TestStatus::success, noon);
  CHECK(sent(session) == Lines{"error", "error", "error", "error"});
}

TEST_CASE(
    "Server session: what cannot be encoded leaves an error, and a status leaves all the same") {
  auto session = ready_session();
  (void)received(session, rpc(run_n));
  session.exists(1, "\xff");
  CHECK(sent(session) == Lines{"error"});
  session.finished(1, "a", TestStatus::fail, Timestamp{std::chrono::seconds(-1)});
  CHECK(sent(session) == Lines{"error", "a fail @1"});
  session.finished(1, "a\0b"s, TestStatus::fail, noon);
  CHECK(sent(session) == Lines{"error", "error"});
}

TEST_CASE("Server session: an attachment above a packet is split, and EOF is on its last piece") {
  auto session = ready_session();
  (void)received(session, rpc(run_n));
  const Bytes content(max_packet_size + 5, std::byte{'x'});
  session.attach(1, "a", "stdout", "application/octet-stream", content, true);
  PacketDecoder decoder;
  decoder.feed(session.output());
  std::size_t total = 0;
  bool eof = false;
  while (const auto event = decoder.next()) {
    CHECK_FALSE(eof);
    const auto& packet = std::get<PacketView>(*event);
    total += packet.file_content.size();
    eof = packet.eof;
  }
  CHECK(eof);
  CHECK(total == content.size());
}

TEST_CASE("Server session: bytes that are no packet cost one error a gap, however they arrive") {
  const auto noise = text_bytes("hello, \xb3 world\n");
  for (const bool byte_by_byte : {false, true}) {
    CAPTURE(byte_by_byte);
    auto session = ready_session();
    const auto stream = joined({noise, rpc(list_n), noise, noise, rpc(run_n), noise});
    Lines all;
    if (byte_by_byte) {
      for (const auto byte : stream)
        for (auto& event : received(session, {byte})) all.push_back(std::move(event));
    } else {
      all = received(session, stream);
    }
    session.receive_eof();  // until then, the noise's 0xB3 could begin a packet
    for (auto& event : events(session)) all.push_back(std::move(event));
    CHECK(all == Lines{"List 1 all", "Run 2 [a,b,]"});
    CHECK(sent(session) == Lines{"error", "error", "error"});
  }
}

TEST_CASE("Server session: a damaged packet costs one error, and the next is read") {
  auto damaged = rpc(run_n);
  damaged[damaged.size() / 2] ^= std::byte{1};
  auto session = ready_session();
  CHECK(received(session, joined({damaged, rpc(list_n)})) == Lines{"List 1 all"});
  CHECK(sent(session) == Lines{"error"});
}

TEST_CASE("Server session: a packet that is never completed can be given up") {
  auto session = ready_session();
  auto cut = rpc(run_n);
  cut.resize(cut.size() - 1);
  CHECK(received(session, cut).empty());
  CHECK(session.waiting());
  CHECK(sent(session).empty());
  for (int i = 0; i < 100 && session.waiting(); ++i) {
    session.give_up_waiting();
    CHECK(events(session).empty());
  }
  CHECK_FALSE(session.waiting());
  CHECK(sent(session) == Lines{"error"});
  check_alive(session);
}

TEST_CASE("Server session: a stream cut off anywhere gives the commands before it, and no crash") {
  const auto stream = joined({rpc(Hello{}), rpc(list_n), rpc(run_n)});
  for (std::size_t size = 0; size < stream.size(); ++size) {
    CAPTURE(size);
    ServerSession session;
    Bytes cut(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size));
    const auto before = received(session, cut);
    session.receive_eof();
    CHECK(events(session).empty());
    CHECK(before.size() <= 1);
    session.exists(1, "a");
    for (const auto& line : sent(session)) CHECK((line == hello_json || line == "error"));
  }
}

TEST_CASE("Server session: a message cut off by the end of the stream costs an error") {
  auto session = ready_session();
  CHECK(received(session, rpc_piece("{\"msg\":", false)).empty());
  session.receive_eof();
  CHECK(events(session).empty());
  CHECK(sent(session) == Lines{"error"});
}

TEST_CASE("Server session: a client's packets that are not RPC change nothing") {
  auto session = ready_session();
  const auto result = encoded({.status = TestStatus::success, .test_id = "t", .timestamp = noon});
  const auto file = encoded({.test_id = "t", .file_name = "f", .file_content = as_bytes("{")});
  const auto bare = encoded({.status = TestStatus::exists, .test_id = rpc_test_id});
  CHECK(received(session, joined({result, file, bare, encoded({}),
                                  rpc_piece(R"({"msg":"List",)", false), result, file,
                                  rpc_piece(R"("nonce":"n"})", false)})) == Lines{"List 1 all"});
  CHECK(sent(session).empty());
}

TEST_CASE(
    "Server session: any file name, MIME parameters and route code are accepted on a message") {
  for (const char* mime : {"application/json;charset=utf8", "Application/JSON; charset=\"utf-8\"",
                           "application/json \t;x=y", "APPLICATION/JSON"}) {
    CAPTURE(mime);
    auto session = ready_session();
    const auto json = to_json(list_n);
    CHECK(received(session, encoded({.test_id = rpc_test_id,
                                     .route_code = "0/3",
                                     .mime_type = mime,
                                     .file_name = "",
                                     .file_content = as_bytes(json)})) == Lines{"List 1 all"});
    CHECK(sent(session).empty());
  }
}

TEST_CASE(
    "Server session: a file of another type, or of none, costs one error unless it continues a "
    "message") {
  const auto json = to_json(list_n);
  auto session = ready_session();
  CHECK(received(session, rpc_piece(json, true, std::nullopt)).empty());
  CHECK(sent(session) == Lines{"error"});
  CHECK(received(session,
                 joined({rpc_piece("a", false, "text/plain"), rpc_piece("b", false, "text/plain"),
                         rpc_piece("c", true, "text/plain")}))
            .empty());
  CHECK(sent(session) == Lines{"error"});
  CHECK(received(session, joined({rpc_piece(json.substr(0, 5), false),
                                  rpc_piece(json.substr(5), true, std::nullopt)})) ==
        Lines{"List 1 all"});
  CHECK(received(session, joined({rpc_piece(json, false), rpc_piece("", true, std::nullopt)})) ==
        Lines{"List 2 all"});
  CHECK(sent(session).empty());
}

TEST_CASE("Server session: the events do not depend on how the bytes arrive") {
  Bytes stream = joined({rpc(Hello{}), text_bytes("x"), rpc(list_n), rpc(Done{"d"}), rpc(run_n)});
  for (const char c : to_json(Run{std::nullopt, "one byte a packet"})) {
    const auto piece = rpc_piece({&c, 1}, false);
    stream.insert(stream.end(), piece.begin(), piece.end());
  }
  const auto goodbye = rpc(Goodbye{});
  stream.insert(stream.end(), goodbye.begin(), goodbye.end());
  const Lines expected{"List 1 all", "Run 2 [a,b,]", "Run 3 all", "Goodbye"};
  for (std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{13}, stream.size()}) {
    CAPTURE(size);
    ServerSession session;
    Lines all;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      session.receive(ByteView(stream).subspan(at, std::min(size, stream.size() - at)));
      for (auto& event : events(session)) all.push_back(std::move(event));
    }
    CHECK(all == expected);
    CHECK(sent(session) == Lines{hello_json, "error", "error"});
  }
}

TEST_CASE("Server session: an error leaves before the answer to what follows it") {
  auto session = ready_session();
  session.receive(joined({rpc_piece("{}"), rpc(list_n), rpc_piece("{}")}));
  const auto event = session.next();
  REQUIRE(event);
  session.exists(1, "a");
  CHECK_FALSE(session.next());
  CHECK(sent(session) == Lines{"error", "a exists @1", "error"});
}

TEST_CASE("Server session: output is consumed in pieces of any size, while more is added") {
  for (std::size_t piece :
       {std::size_t{1}, std::size_t{3}, std::size_t{100}, std::size_t{70'000}}) {
    CAPTURE(piece);
    auto session = ready_session();
    (void)received(session, rpc(run_n));
    Bytes read;
    const auto consume = [&] {
      const auto front = session.output().first(std::min(piece, session.output().size()));
      read.insert(read.end(), front.begin(), front.end());
      session.consume(front.size());
    };
    for (int i = 0; i < 5'000; ++i) {
      session.finished(1, "test " + std::to_string(i), TestStatus::success, noon);
      consume();
    }
    while (!session.output().empty()) consume();
    const auto lines = test::described(read);
    REQUIRE(lines.size() == 5'000);
    CHECK(lines.front() == "test 0 success @1");
    CHECK(lines.back() == "test 4999 success @1");
  }
}

TEST_CASE("Server session: discarded output ends at the end of a packet, wherever it was cut") {
  auto first = ready_session();
  const auto fill = [](ServerSession& session) {
    (void)received(session, rpc(run_n));
    session.started(1, "a", noon);
    session.attach(1, "a", "stdout", text_mime_type, Bytes(20'000, std::byte{'x'}), true);
    session.finished(1, "a", TestStatus::success, noon);
  };
  fill(first);
  const auto total = first.output().size();
  for (std::size_t cut = 0; cut <= total; cut += cut < 100 || cut + 100 > total ? 1 : 501) {
    CAPTURE(cut);
    auto session = ready_session();
    fill(session);
    Bytes read(session.output().begin(),
               session.output().begin() + static_cast<std::ptrdiff_t>(cut));
    session.consume(cut);
    session.discard_output();
    read.insert(read.end(), session.output().begin(), session.output().end());
    for (const auto& line : test::described(read)) CHECK(line != "NOT A PACKET");
    if (cut == 0) CHECK(read.empty());
    session.exists(1, "later");
    session.consume(session.output().size());
    CHECK(session.output().empty());
  }
}

TEST_CASE("Server session: after Goodbye its calls add nothing") {
  auto session = ready_session();
  (void)received(session, joined({rpc(run_n), rpc(Goodbye{})}));
  session.started(1, "a", noon);
  session.attach(1, "a", "stdout", text_mime_type, as_bytes("x"), true);
  session.finished(1, "a", TestStatus::success, noon);
  session.exists(1, "a");
  session.done(1);
  session.report_error("x");
  CHECK(session.output().empty());
}

TEST_CASE("Server session: a million ids in one Run") {
  std::vector<std::string> ids;
  for (int i = 0; i < 1'000'000; ++i) ids.push_back("program.Suite.test_" + std::to_string(i));
  Bytes bytes;
  append_rpc_message(command_json("Run", ids, "n"), bytes);
  auto session = ready_session();
  session.receive(bytes);
  const auto event = session.next();
  REQUIRE(event);
  CHECK(std::get<RunRequested>(*event).tests == ids);
}
