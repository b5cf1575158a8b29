// The messages of the testrepository test-server RPC: values, and their JSON. spec/rpc.md,
// "Messages".
//
// Reading is strict: RFC 8259 JSON, valid UTF-8, exactly one object. Unknown keys of any shape are
// ignored: that is how versions grow. A key that means something may be there once only: with two
// values in hand, we would have to guess which one was meant. Rules RPC-3.1 to 3.9, 5.7, 10.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

namespace hearth::protocol {

inline constexpr std::string_view rpc_test_id = "testrepository-rpc";
inline constexpr std::string_view rpc_mime_type = "application/json";
inline constexpr std::string_view rpc_file_name = "message";
inline constexpr std::size_t max_message_size = std::size_t{128} * 1024 * 1024;  // bytes of JSON
inline constexpr std::size_t max_message_ids = 2'000'000;
inline constexpr std::size_t max_message_depth = 64;  // objects and arrays inside one another
inline constexpr std::size_t max_test_id_size =
    std::size_t{64} * 1024;  // bytes of UTF-8; it has to fit a packet
inline constexpr std::size_t max_nonce_size = std::size_t{64} * 1024;  // bytes of UTF-8

struct VersionRange {
  std::uint32_t max = 1;
  std::uint32_t min = 1;
  bool operator==(const VersionRange&) const = default;
};
inline constexpr VersionRange supported_versions{1, 1};

// The highest version that both ends speak; nullopt where the ranges are disjoint.
[[nodiscard]] std::optional<std::uint32_t> highest_common_version(VersionRange a, VersionRange b);

struct Hello {
  VersionRange versions;
};
struct Goodbye {};
struct List {
  std::optional<std::vector<std::string>> tests;  // absent: all; empty: none
  std::string nonce;
};
struct Run {
  std::optional<std::vector<std::string>> tests;
  std::string nonce;
  bool exit = true;  // the programs go through their end before Done; RPC-12.17
};
struct Done {
  std::string nonce;
};
using Message = std::variant<Hello, Goodbye, List, Run, Done>;

// Why bytes are no message. `nonce` is set where they are a List or a Run that is refused (too many
// ids, say) although its nonce is valid: whoever waits for its Done gets it all the same. `reason`
// is plain text, at most a few hundred bytes, and never quotes the peer's bytes.
struct MessageError {
  std::string reason;
  std::optional<std::string> nonce;
};

// `json` is one whole message. Takes time and memory linear in its size; builds no tree of it.
[[nodiscard]] tl::expected<Message, MessageError> parse_message(std::string_view json);

// Compact JSON without a line break. Strings must be valid UTF-8; they are written as they are.
[[nodiscard]] std::string to_json(const Message& message);

// The same for the commands that may be large, without a copy of their ids. `command` is "List" or
// "Run". `exit` is a Run's; true, which every server understands, is not written.
[[nodiscard]] std::string command_json(std::string_view command,
                                       std::optional<std::span<const std::string>> tests,
                                       std::string_view nonce, bool exit = true);

}  // namespace hearth::protocol
