#include "protocol/rpc_packet.hpp"

namespace hearth::protocol {
namespace {

// "Application/JSON; charset=utf8" is application/json: parameters and case say nothing here.
bool is_json_type(std::string_view mime_type) {
  mime_type = mime_type.substr(0, mime_type.find(';'));
  mime_type = mime_type.substr(0, mime_type.find_last_not_of(" \t") + 1);
  // By index: with clang 14's address sanitizer, begin() and end() of an inline constant can come
  // from two copies of its literal.
  if (mime_type.size() != rpc_mime_type.size()) return false;
  for (std::size_t i = 0; i < mime_type.size(); ++i) {
    const char c = mime_type[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != rpc_mime_type[i]) return false;
  }
  return true;
}

void append_file(std::string_view name, std::string_view mime_type, std::string_view content,
                 Bytes& out) {
  // Names, types and sizes are ours: nothing here can fail to encode.
  (void)encode_file({.test_id = rpc_test_id,
                     .mime_type = mime_type,
                     .file_name = name,
                     .file_content = as_bytes(content),
                     .eof = true},
                    out);
}

}  // namespace

RpcPart rpc_part(const PacketView& packet) {
  if (packet.test_id != rpc_test_id) return RpcPart::other;
  if (!packet.file_name) return RpcPart::bare;
  if (!packet.mime_type) return RpcPart::untyped;
  return is_json_type(*packet.mime_type) ? RpcPart::message : RpcPart::text;
}

void append_rpc_message(std::string_view json, Bytes& out) {
  append_file(rpc_file_name, rpc_mime_type, json, out);
}

void append_rpc_error(std::string_view text, Bytes& out) {
  append_file(error_file_name, text_mime_type, text, out);
}

}  // namespace hearth::protocol
