// The messages of the testrepository test-server RPC: values, and their JSON. spec/rpc.md, "Messages".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

namespace hearth::protocol {

inline constexpr std::string_view rpc_test_id = "testrepository-rpc";
inline constexpr std::string_view rpc_mime_type = "application/json";
inline constexpr std::string_view rpc_file_name = "message";
inline constexpr std::size_t max_message_size = 128u * 1024 * 1024;  // bytes of JSON
inline constexpr std::size_t max_message_ids = 2'000'000;

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
};
struct Done {
  std::string nonce;
};
using Message = std::variant<Hello, Goodbye, List, Run, Done>;

// Why bytes are no message. `nonce` is set where the message had a valid one although the rest is
// refused (too many ids, say): whoever waits for its Done gets it all the same.
struct MessageError {
  std::string reason;
  std::optional<std::string> nonce;
};

[[nodiscard]] tl::expected<Message, MessageError> parse_message(std::string_view json);
[[nodiscard]] std::string to_json(const Message& message);

}  // namespace hearth::protocol
