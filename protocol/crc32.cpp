#include "protocol/crc32.hpp"

#include <array>

namespace hearth::protocol {
namespace {

// Polynomials over GF(2) modulo the CRC's, reflected: the top bit is the coefficient of x^0.
using Polynomial = std::uint32_t;

constexpr Polynomial one = 0x80000000;
constexpr Polynomial modulus = 0xEDB88320;

constexpr Polynomial times_x(Polynomial p) {
  return (p & 1) != 0 ? (p >> 1) ^ modulus : p >> 1;
}

constexpr Polynomial multiply(Polynomial a, Polynomial b) {
  Polynomial product = 0;
  for (int bit = 31; bit >= 0; --bit) {
    product ^= b & (0 - ((a >> bit) & 1));
    b = times_x(b);
  }
  return product;
}

// powers[digit][n] = x^(8 * n * 256^digit): what appending n * 256^digit zero bytes multiplies by.
constexpr auto make_powers() {
  std::array<std::array<Polynomial, 256>, 3> powers{};
  Polynomial step = one;
  for (int bit = 0; bit < 8; ++bit) step = times_x(step);
  for (auto& digit : powers) {
    digit[0] = one;
    for (std::size_t n = 1; n < digit.size(); ++n) digit[n] = multiply(digit[n - 1], step);
    step = multiply(digit.back(), step);
  }
  return powers;
}
constinit const auto powers = make_powers();

Polynomial power_of_bytes(std::size_t count) {
  const Polynomial low = powers[0][count & 0xFF];
  const Polynomial middle = powers[1][(count >> 8) & 0xFF];
  const Polynomial high = powers[2][(count >> 16) & 0xFF];
  return multiply(multiply(low, middle), high);
}

}  // namespace

std::uint32_t crc32_of_suffix(std::uint32_t crc_ab, std::uint32_t crc_a, std::size_t size_b) {
  // crc(ab) = crc(a) * x^(8 * size_b) + crc(b): the pre- and post-conditioning of the three cancel
  // out.
  return crc_ab ^ multiply(power_of_bytes(size_b), crc_a);
}

}  // namespace hearth::protocol
