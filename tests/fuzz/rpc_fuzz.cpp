// Fuzz target: bytes of a hostile peer through the RPC's message parser, assembler and both
// sessions. The first byte chooses how the rest is cut up. Built by tests/fuzz/meson.build.
#include <algorithm>
#include <cstdlib>

#include "protocol/client_session.hpp"
#include "protocol/message_assembler.hpp"
#include "protocol/rpc_packet.hpp"
#include "protocol/server_session.hpp"

using namespace hearth::protocol;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// What is accepted must survive being written and read again.
void fuzz_message(std::string_view json) {
  const auto message = parse_message(json);
  if (!message) {
    require(!message.error().reason.empty() && message.error().reason.size() < 400);
    return;
  }
  const auto written = to_json(*message);
  const auto again = parse_message(written);
  require(again && to_json(*again) == written);
}

// A message that parses whole is the same message in pieces, with EOF and without.
void fuzz_assembler(std::string_view json, std::size_t piece) {
  MessageAssembler assembler;
  const auto whole = parse_message(json);
  for (std::size_t at = 0; at < json.size(); at += piece)
    assembler.add(as_bytes(json.substr(at, piece)), at + piece >= json.size());
  const auto outcome = assembler.take();
  if (whole) require(outcome && *outcome && to_json(**outcome) == to_json(*whole));
  while (assembler.take()) {
  }
}

void require_packets(ByteView output) {
  PacketDecoder decoder;
  decoder.feed(output);
  decoder.finish();
  while (const auto event = decoder.next()) require(std::holds_alternative<PacketView>(*event));
}

void answer(ServerSession& session, std::uint64_t ordinal,
            const std::optional<std::vector<std::string>>& tests) {
  if (tests) {
    for (const auto& id : *tests) {
      require(id != rpc_test_id);
      session.finished(ordinal, id, TestStatus::fail, Timestamp{});
    }
  }
  session.done(ordinal);
}

void fuzz_server(ByteView bytes, std::size_t piece) {
  ServerSession session;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    session.receive(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    while (const auto event = session.next()) {
      if (const auto* list = std::get_if<ListRequested>(&*event))
        answer(session, list->ordinal, list->tests);
      if (const auto* run = std::get_if<RunRequested>(&*event))
        answer(session, run->ordinal, run->tests);
    }
    if (session.waiting()) session.give_up_waiting();
  }
  session.receive_eof();
  while (session.next()) {
  }
  require_packets(session.output());
}

void fuzz_client(ByteView bytes, std::size_t piece) {
  ClientSession session("c-");
  (void)session.list(std::nullopt);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    session.receive(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    while (session.next()) {
    }
  }
  session.receive_eof();
  while (session.next()) {
  }
  require(!session.next());
  require_packets(session.output());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 2 == 0 ? size : 1 + data[0] % 31;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  fuzz_message(as_text(bytes));
  fuzz_assembler(as_text(bytes), piece);
  fuzz_server(bytes, piece);
  fuzz_client(bytes, piece);
  // The same bytes as a message's content, so that the fuzzer need not find checksums.
  Bytes framed;
  append_rpc_message(R"({"msg":"Hello","max":1,"min":1})", framed);
  append_rpc_message(as_text(bytes), framed);
  fuzz_server(framed, piece);
  fuzz_client(framed, piece);
  return 0;
}
