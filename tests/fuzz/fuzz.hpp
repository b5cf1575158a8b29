// What a fuzz target is: the entry point of libFuzzer, and how it says that something is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace hearth::fuzz {

// Ends the process as a sanitizer would: libFuzzer keeps the input, the driver names it.
inline void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "fuzz target: %s\n", what);
  std::abort();
}

inline std::span<const std::byte> input(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

}  // namespace hearth::fuzz
