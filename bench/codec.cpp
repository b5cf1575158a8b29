// Codec benchmark: packets per second, and bytes of a large attachment per second beside memcpy.
// Every figure is the best of several rounds; the ratios, taken in one run, are what to compare.
// With an argument (packets, attachment, hostile): only that part.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "protocol/subunit_v2.hpp"

namespace {

using namespace hearth::protocol;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 7;
constexpr std::size_t packet_count = 200'000;
constexpr std::size_t packet_bytes = 42;
constexpr std::size_t read_size = 64 * 1024;  // what a reader takes from a pipe at once
constexpr std::size_t attachment_bytes = 64 * 1024 * 1024;

// What the Rust subunit crate 0.3.1 reaches with the same packets (docs/performance.md).
constexpr double rust_decode = 6.5e6;
constexpr double rust_encode = 4.9e6;

// The fastest of several rounds, in seconds. The first one is not counted.
double best_of(const std::function<void()>& work) {
  double best = 1e9;
  for (int round = 0; round <= rounds; ++round) {
    const auto begin = Clock::now();
    work();
    const std::chrono::duration<double> took = Clock::now() - begin;
    if (round > 0) best = std::min(best, took.count());
  }
  return best;
}

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "codec benchmark: %s\n", what);
  std::exit(1);
}

Packet small_packet() {
  Packet packet;
  packet.status = TestStatus::success;
  packet.runnable = true;
  packet.test_id = "program.Suite.test_case_1";
  packet.timestamp = Timestamp(std::chrono::nanoseconds(1'795'190'400'123'456'789));
  return packet;
}

void encode_small(Bytes& out) {
  const Packet packet = small_packet();
  out.clear();
  for (std::size_t i = 0; i < packet_count; ++i) require(!!encode(packet, out), "encode failed");
}

// Feeds `stream` in pieces as large as reads from a pipe; the packets and the sum of their
// contents.
struct Tally {
  std::size_t packets = 0;
  std::size_t content = 0;
};
Tally decode_all(PacketDecoder& decoder, ByteView stream) {
  Tally tally;
  while (!stream.empty()) {
    const std::size_t size = std::min(stream.size(), read_size);
    decoder.feed(stream.first(size));
    stream = stream.subspan(size);
    while (const auto event = decoder.next()) {
      const auto* packet = std::get_if<PacketView>(&*event);
      require(packet != nullptr, "a packet was not recognised");
      ++tally.packets;
      tally.content += packet->file_content.size() + packet->test_id->size();
    }
  }
  return tally;
}

void measure_small_packets() {
  Bytes stream;
  encode_small(stream);
  require(stream.size() == packet_count * packet_bytes, "the packets are not of the size meant");
  const double encoding = packet_count / best_of([&] { encode_small(stream); });
  const double decoding =
      packet_count / best_of([&] {
        PacketDecoder decoder;
        require(decode_all(decoder, stream).packets == packet_count, "packets were lost");
      });
  std::printf("encode  %6.1f M packets/s of %zu bytes  (%.1f x the Rust crate)\n", encoding / 1e6,
              packet_bytes, encoding / rust_encode);
  std::printf("decode  %6.1f M packets/s of %zu bytes  (%.1f x the Rust crate)\n", decoding / 1e6,
              packet_bytes, decoding / rust_decode);
}

void measure_attachment() {
  const Bytes content(attachment_bytes, std::byte{'x'});
  Packet packet;
  packet.test_id = "program.Suite.test_case_1";
  packet.file_name = "stdout";
  packet.file_content = content;
  packet.eof = true;
  Bytes stream;
  const double encoding = attachment_bytes / best_of([&] {
                            stream.clear();
                            require(!!encode_file(packet, stream), "encode_file failed");
                          });
  PacketDecoder decoder;
  const double decoding =
      attachment_bytes / best_of([&] {
        require(decode_all(decoder, stream).content >= attachment_bytes, "content was lost");
      });
  Bytes copy(attachment_bytes);
  const double copying =
      attachment_bytes / best_of([&] { std::memcpy(copy.data(), content.data(), content.size()); });
  std::printf("attachment encode %5.2f GB/s, decode %5.2f GB/s, memcpy %5.2f GB/s  (%.2f, %.2f)\n",
              encoding / 1e9, decoding / 1e9, copying / 1e9, encoding / copying,
              decoding / copying);
}

// Every fourth byte begins a candidate of nearly 4 MiB that does not hold.
void measure_hostile() {
  Bytes stream;
  for (std::size_t i = 0; i < 4 * 1024 * 1024; ++i) {
    for (unsigned byte : {0xB3u, 0x20u, 0x00u, 0xBFu})
      stream.push_back(static_cast<std::byte>(byte));
  }
  const double took = best_of([&] {
    PacketDecoder decoder;
    decoder.feed(stream);
    while (decoder.next()) {
    }
    decoder.finish();
    while (decoder.next()) {
    }
  });
  std::printf("hostile decode    %5.1f MB/s\n", static_cast<double>(stream.size()) / took / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  if (only.empty() || only == "packets") measure_small_packets();
  if (only.empty() || only == "attachment") measure_attachment();
  if (only.empty() || only == "hostile") measure_hostile();
}
