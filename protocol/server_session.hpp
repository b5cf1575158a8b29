// The server's end of one RPC session, without I/O: bytes in, requests out; results in, bytes out.
// States, refusals and packet layout: spec/rpc.md. A peer's bytes never throw.
//
// Flow: receive() bytes, poll next() until nullopt, perform what it asks; report results with the
// functions below; write what output() holds and consume() what was written.
#pragma once

#include <memory>

#include "protocol/rpc_message.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

// `ordinal` counts the session's commands (List and Run) from 1; it is also the route code (decimal) of
// every packet that answers it. It is how the functions below name a request.
struct ListRequested {
  std::uint64_t ordinal;
  std::optional<std::vector<std::string>> tests;  // absent: all
};
struct RunRequested {
  std::uint64_t ordinal;
  std::optional<std::vector<std::string>> tests;
};
struct ClientSaidGoodbye {};
// The session cannot go on (disjoint versions): say `reason` on stderr, flush output(), exit non-zero.
struct SessionRefused {
  std::string reason;
};
using ServerEvent = std::variant<ListRequested, RunRequested, ClientSaidGoodbye, SessionRefused>;

class ServerSession {
 public:
  ServerSession();
  ~ServerSession();
  ServerSession(ServerSession&&) noexcept;
  ServerSession& operator=(ServerSession&&) noexcept;

  void receive(ByteView bytes);
  void receive_eof();
  [[nodiscard]] std::optional<ServerEvent> next();

  // Answers. A test's packets: started, then attachments, then finished. No call is checked against the
  // ledger; that is the server's.
  void exists(std::uint64_t ordinal, std::string_view test_id);
  void started(std::uint64_t ordinal, std::string_view test_id, Timestamp when);
  // One piece of an attachment; `last` sets EOF. Above one packet it is split over several.
  void attach(std::uint64_t ordinal, std::string_view test_id, std::string_view file_name,
              std::string_view mime_type, ByteView content, bool last);
  void finished(std::uint64_t ordinal, std::string_view test_id, TestStatus status, Timestamp when,
                std::span<const std::string_view> tags = {});
  void done(std::uint64_t ordinal);
  // An `error` attachment on the RPC's id.
  void report_error(std::string_view text);

  // Bytes to write, in order. Valid until the next call that adds to them or consume().
  [[nodiscard]] ByteView output() const;
  void consume(std::size_t bytes);
  void discard_output();  // after Goodbye no further packet leaves

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace hearth::protocol
