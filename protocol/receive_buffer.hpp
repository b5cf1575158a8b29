// The bytes that a decoder has received and not yet handed out, in one piece, with some of those
// before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace hearth::protocol {

// Positions count from the stream's first byte and stay valid while bytes move in memory. Moving
// costs each byte a constant number of copies: bytes are moved only when at least as many have been
// consumed.
class ReceiveBuffer {
 public:
  // Consumed bytes that stay readable behind begin(), if there have been that many.
  static constexpr std::size_t history = 512;

  // Room for at least `size` bytes behind the last; invalidates every pointer into the buffer.
  [[nodiscard]] std::span<std::byte> prepare(std::size_t size);
  void commit(std::size_t size) { m_size += size; }
  void consume_until(std::uint64_t position) { m_begin = position - m_base; }

  [[nodiscard]] std::uint64_t begin() const { return m_base + m_begin; }
  [[nodiscard]] std::uint64_t end() const { return m_base + m_size; }
  // The first position still readable: min(history, all) before begin().
  [[nodiscard]] std::uint64_t first_readable() const { return m_base; }
  [[nodiscard]] const std::byte* at(std::uint64_t position) const {
    return m_data.get() + (position - m_base);
  }
  [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t from, std::uint64_t to) const {
    return {at(from), static_cast<std::size_t>(to - from)};
  }
  [[nodiscard]] std::size_t capacity() const { return m_capacity; }

 private:
  void move_to(std::byte* target, std::size_t dropped);

  std::unique_ptr<std::byte[]> m_data;
  std::size_t m_capacity = 0;
  std::size_t m_begin = 0;   // first byte not consumed
  std::size_t m_size = 0;    // end of the bytes
  std::uint64_t m_base = 0;  // position of m_data[0]
};

}  // namespace hearth::protocol
