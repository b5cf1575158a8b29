// Benchmark of the console armour: bulk through both ends in memory, whatever the console would
// take left out. The best of several rounds, beside what is wanted of it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "protocol/console_armour.hpp"

namespace {

using namespace hearth::protocol::armour;
using hearth::protocol::ByteView;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr std::size_t bulk = std::size_t{32} * 1024 * 1024;
constexpr double wanted_mb = 20;  // MB/s over a raw pty, all told
constexpr double wanted_ratio = 1.4;

Options options_of(Side side) {
  Options options;
  options.side = side;
  options.nonce = side == Side::caller ? 1 : 2;
  return options;
}

struct Tally {
  std::size_t wrote = 0;
  std::size_t received = 0;
};

// What `from` has written goes to `to`.
void carry(ConsoleArmour& from, ConsoleArmour& to, Tally& tally) {
  const ByteView out = from.output();
  tally.wrote += out.size();
  to.feed(out, Time{0});
  from.consume(out.size());
  while (const auto event = to.next()) {
    if (const auto* data = std::get_if<ChannelData>(&*event)) tally.received += data->bytes.size();
  }
}

Tally transfer(std::string_view content) {
  ConsoleArmour caller(options_of(Side::caller));
  ConsoleArmour answerer(options_of(Side::answerer));
  Tally tally;
  auto left = std::as_bytes(std::span(content));
  while (tally.received < content.size()) {
    left = left.subspan(caller.send(0, left));
    carry(caller, answerer, tally);
    carry(answerer, caller, tally);
  }
  return tally;
}

}  // namespace

int main() {
  std::string content(bulk, '\0');
  unsigned state = 1;
  for (char& c : content) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  double best = 1e9;
  Tally tally;
  for (int round = 0; round < rounds; ++round) {
    const auto begin = Clock::now();
    tally = transfer(content);
    const std::chrono::duration<double> took = Clock::now() - begin;
    best = std::min(best, took.count());
  }
  if (tally.received != bulk) {
    std::fprintf(stderr, "armour benchmark: bytes were lost\n");
    return 1;
  }
  const double speed = static_cast<double>(bulk) / best / 1e6;
  const double ratio = static_cast<double>(tally.wrote) / static_cast<double>(bulk);
  std::printf("console armour %6.1f MB/s, written and read  (%.1f x the %.0f wanted)\n", speed,
              speed / wanted_mb, wanted_mb);
  std::printf(
      "console armour %6.4f bytes sent for each, acknowledgements included  (%.1f allowed)\n",
      ratio, wanted_ratio);
}
