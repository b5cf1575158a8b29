// The client's end of one RPC session, without I/O: commands and bytes in, results out.
// spec/rpc.md. A peer's bytes never throw.
//
// Flow: write output() (a Hello is there from the start) and consume() what was written; receive()
// bytes, poll next() until nullopt. Commands may be given at any time: before the server's Hello
// they are held back. Several may be in flight; their Dones come in any order.
//
//   message        before Hello                      ready                      after a fatal fault
//   or EOF Hello          ServerReady, or a fatal fault     fault                      not read
//   Done           fault                             CommandDone; of a nonce    not read
//                                                    not in flight: fault
//   List, Run,     fault                             fault                      not read
//   Goodbye
//   a result       fault                             ResultPacket               not read
#pragma once

#include <memory>

#include "protocol/rpc_message.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

struct ServerReady {
  std::uint32_t version;
};
// A packet that is not RPC: a result, or part of one. `packet` is valid until the next call of
// next(), its views until the next receive().
struct ResultPacket {
  const PacketView* packet;
};
struct CommandDone {
  std::string nonce;
};
// One packet's worth of the server's `error` attachment on the RPC's id. The bytes are the
// server's: to be made printable before they are shown.
struct ServerError {
  std::string text;
};
// One packet's worth of what a program in between passes on (spec/connections.md, "Attachments"):
// what the server's process printed. `file`: "stdout" or "stderr". Valid until the next receive().
struct ServerOutput {
  std::string_view file;
  ByteView bytes;
  bool eof;
};
// Bytes that are no packet (a banner, a print): shown, never parsed.
// Valid until the next receive().
struct ForeignOutput {
  ByteView bytes;
};
// The peer broke the protocol (bad JSON, unknown nonce, disjoint versions ...). `fatal`: the
// session is over; so it is at the end of the stream before Hello, or with commands in flight and
// no goodbye(). `damage`: a packet that would have meant something may be lost: what is in flight
// may be answered in part, or never be said to be done (RPC-11.10).
struct PeerFault {
  std::string reason;
  bool fatal;
  bool damage = false;
};
using ClientEvent = std::variant<ServerReady, ResultPacket, CommandDone, ServerError, ServerOutput,
                                 ForeignOutput, PeerFault>;

class ClientSession {
 public:
  ClientSession();  // nonces begin with 64 random bits
  // For tests: nonces are `nonce_prefix` and a number from 1; `versions` is what this end speaks.
  explicit ClientSession(std::string nonce_prefix, VersionRange versions = supported_versions);
  ~ClientSession();
  ClientSession(ClientSession&&) noexcept;
  ClientSession& operator=(ClientSession&&) noexcept;

  // Each returns the nonce that CommandDone will name. Absent tests: all; empty: none. Ids are
  // UTF-8; whoever has more than max_message_ids or max_message_size gives several commands.
  std::string list(std::optional<std::span<const std::string>> tests);
  // `exit` false: more Runs follow, and a last one lets the programs go through their end
  // (RPC-12.17).
  std::string run(std::optional<std::span<const std::string>> tests, bool exit = true);
  // Its Done is not waited for any more; one that comes all the same is a CommandDone.
  void abandon(const std::string& nonce);
  void goodbye();
  [[nodiscard]] std::size_t in_flight() const;  // commands whose Done is still to come

  void receive(ByteView bytes);
  // No more bytes come. What has come is still handed out by next().
  void receive_eof();
  [[nodiscard]] std::optional<ClientEvent> next();

  // See ServerSession.
  [[nodiscard]] bool waiting() const;
  void give_up_waiting();

  [[nodiscard]] ByteView output() const;
  void consume(std::size_t bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace hearth::protocol
