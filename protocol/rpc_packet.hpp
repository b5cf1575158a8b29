// RPC messages inside subunit packets, for both ends. spec/rpc.md, "Packets".
#pragma once

#include "protocol/rpc_message.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

inline constexpr std::string_view error_file_name = "error";
inline constexpr std::string_view text_mime_type = "text/plain;charset=utf8";
inline constexpr std::string_view octets_mime_type = "application/octet-stream";

// What a packet is to the RPC. Only packets on the RPC's test id can be anything but `other`.
enum class RpcPart : std::uint8_t {
  other,    // a result, or whatever else: not RPC
  message,  // (a piece of) a message: a file of type application/json
  untyped,  // a file without a type: a piece that continues a message, or nothing
  text,     // (a piece of) a file of another type: an error, usually
  bare,     // the RPC's test id without a file
};
[[nodiscard]] RpcPart rpc_part(const PacketView& packet);

// Appends `json` as one packet, or as several above a packet's size; EOF is on the last.
void append_rpc_message(std::string_view json, Bytes& out);
// Appends an `error` attachment.
void append_rpc_error(std::string_view text, Bytes& out);

}  // namespace hearth::protocol
