// The client's end of one RPC session, without I/O: commands and bytes in, results out. spec/rpc.md.
#pragma once

#include <memory>

#include "protocol/rpc_message.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

struct ServerReady {
  std::uint32_t version;
};
// A packet that is not RPC: a result, or part of one. Views stay valid until the next receive().
struct ResultPacket {
  const PacketView* packet;
};
struct CommandDone {
  std::string nonce;
};
// The server's `error` attachment on the RPC's id.
struct ServerError {
  std::string text;
};
// Bytes that are no packet (a banner, a print): shown, never parsed.
struct ForeignOutput {
  ByteView bytes;
};
// The peer broke the protocol (bad JSON, unknown nonce, disjoint versions ...). `fatal`: the session is over.
struct PeerFault {
  std::string reason;
  bool fatal;
};
using ClientEvent =
    std::variant<ServerReady, ResultPacket, CommandDone, ServerError, ForeignOutput, PeerFault>;

class ClientSession {
 public:
  ClientSession();  // Hello is in output() from the start
  ~ClientSession();
  ClientSession(ClientSession&&) noexcept;
  ClientSession& operator=(ClientSession&&) noexcept;

  // Each returns the nonce that CommandDone will name. Absent tests: all.
  std::string list(std::optional<std::span<const std::string>> tests);
  std::string run(std::optional<std::span<const std::string>> tests);
  void goodbye();

  void receive(ByteView bytes);
  void receive_eof();
  [[nodiscard]] std::optional<ClientEvent> next();

  [[nodiscard]] ByteView output() const;
  void consume(std::size_t bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace hearth::protocol
