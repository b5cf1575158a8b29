// The server's end of one RPC session, without I/O: bytes in, requests out; results in, bytes out.
// States, refusals and packet layout: spec/rpc.md. A peer's bytes never throw.
//
// Flow: receive() bytes, poll next() until nullopt, perform what it asks; report results with the
// functions below; write what output() holds and consume() what was written. next() may add to
// output() (Hello, errors) also when it returns nothing.
//
//   message        before Hello          ready                       after Goodbye, refusal or EOF
//   Hello          Hello, then ready     error                       not read
//                  (or refused)
//   List, Run      error                 the event; later done()     not read
//   Goodbye        the event             the event                   not read
//   Done           error                 error                       not read
//   anything else  error                 error (then Done, if it     not read
//                                        was a List or Run whose
//                                        nonce could be read)
//
// An error is an attachment on the RPC's id; it never ends the session. Input is bounded by the
// limits of rpc_message.hpp. Output grows with what is asked for and answered: a server stops
// calling receive() while output() is long, so that a client that does not read slows itself down
// and nobody else.
#pragma once

#include <memory>

#include "protocol/rpc_message.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

// `ordinal` counts the session's commands (List and Run) from 1; it is also the route code
// (decimal) of the packets of every test in its answer. It is how the functions below name a
// request. The session keeps its nonce until done().
//
// The RPC's own test id is taken out of `tests` before the server sees it, with an error.
struct ListRequested {
  std::uint64_t ordinal;
  std::optional<std::vector<std::string>> tests;  // absent: all; empty: none
};
struct RunRequested {
  std::uint64_t ordinal;
  std::optional<std::vector<std::string>> tests;
  bool exit = true;  // the programs go through their end before done(); RPC-12.17
};
struct ClientSaidGoodbye {};
// The session cannot go on (disjoint versions): say `reason` on stderr, flush output(), exit
// non-zero.
struct SessionRefused {
  std::string reason;
};
using ServerEvent = std::variant<ListRequested, RunRequested, ClientSaidGoodbye, SessionRefused>;

class ServerSession {
 public:
  // `versions`: what this end speaks. Other than the default only in tests of the negotiation.
  explicit ServerSession(VersionRange versions = supported_versions);
  ~ServerSession();
  ServerSession(ServerSession&&) noexcept;
  ServerSession& operator=(ServerSession&&) noexcept;

  void receive(ByteView bytes);
  // No more bytes come. What has come is still handed out by next(); then the session is over.
  void receive_eof();
  [[nodiscard]] std::optional<ServerEvent> next();

  // True when next() returned nullopt in the middle of what may become a packet; see PacketDecoder.
  // A server whose clock has seen this for long (seconds) calls give_up_waiting(), then next().
  [[nodiscard]] bool waiting() const;
  void give_up_waiting();

  // Answers. A test's packets: started, then attachments, then finished. No call is checked against
  // the ledger; that is the server's. Each encodes straight into output(). The RPC's own id is
  // never sent as a test's: the call leaves an error instead, as does one that cannot be encoded
  // (an id or name that is not UTF-8, say). After Goodbye, refusal or EOF, the calls do nothing.
  void exists(std::uint64_t ordinal, std::string_view test_id);
  void started(std::uint64_t ordinal, std::string_view test_id, Timestamp when);
  // One piece of an attachment; `last` sets EOF, also with no content. Above default_file_chunk it
  // is split over several packets.
  void attach(std::uint64_t ordinal, std::string_view test_id, std::string_view file_name,
              std::string_view mime_type, ByteView content, bool last);
  void finished(std::uint64_t ordinal, std::string_view test_id, TestStatus status, Timestamp when,
                std::span<const std::string_view> tags = {});
  // Sends Done with the command's nonce; a second time, or for an ordinal that never was, it does
  // nothing.
  void done(std::uint64_t ordinal);
  // An `error` attachment on the RPC's id. `text` is UTF-8.
  void report_error(std::string_view text);

  // Bytes to write, in order. Valid until the next call of a function that is not const.
  [[nodiscard]] ByteView output() const;
  void consume(std::size_t bytes);  // amortised O(1) for each packet
  // After Goodbye no further packet leaves. What is left of one that is partly consumed stays, so
  // that the stream does not end inside a packet.
  void discard_output();

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace hearth::protocol
