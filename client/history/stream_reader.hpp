// Reads the streams that repositories keep, subunit v1 text or v2 packets, as results.
#pragma once

#include <string>

#include "client/history/repository.hpp"

namespace hearth::client {

// Tags of ours, in our own v2 streams: an attempt that was followed by another, and a pass after a
// failure.
inline constexpr std::string_view retried_tag = "hearth-retried";
inline constexpr std::string_view flaky_tag = "hearth-flaky";
inline constexpr std::string_view worker_tag = "worker-";  // and a number: testr's

// The file's first byte is that of a v2 packet.
[[nodiscard]] bool is_v2(const std::string& path);

// Which of the two `path` holds is told by its first byte. Every execution goes to `sink` when it
// has ended; those that never did come last, as inprogress. Bytes that are no subunit are passed
// over, as the peers do; the number of them is returned.
[[nodiscard]] Expected<std::size_t> read_stream(const std::string& path, Detail detail,
                                                const ResultSink& sink);

}  // namespace hearth::client
