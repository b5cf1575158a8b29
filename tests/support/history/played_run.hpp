// A run as the orchestrator tells it to its listeners, made up: for tests of who listens.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "client/run/events.hpp"

namespace hearth::test {

struct PlayedTest {
  std::string id;
  protocol::TestStatus status = protocol::TestStatus::success;
  std::chrono::microseconds duration{10'000};
  client::Worker worker = 0;
  unsigned attempt = 1;
  bool will_retry = false;
  std::vector<std::pair<std::string, std::string>> files = {};  // name, text
  bool timed = true;
};

class PlayedRun {
 public:
  explicit PlayedRun(client::RunListener& listener) : m_listener(listener) {}

  void begin(bool all = true, std::size_t workers = 1) {
    client::RunInfo info;
    info.ids = &m_ids;
    info.all = all;
    info.workers = workers;
    info.started_at = m_now;
    m_listener.on_begin(info);
  }

  void start(const PlayedTest& test) {
    protocol::Packet packet;
    packet.status = protocol::TestStatus::inprogress;
    packet.test_id = test.id;
    packet.timestamp = m_now;
    send(test, packet);
  }
  void attach(const PlayedTest& test) {
    for (const auto& [name, text] : test.files) {
      protocol::Packet packet;
      packet.test_id = test.id;
      packet.file_name = name;
      packet.mime_type = "text/plain;charset=utf8";
      packet.file_content = protocol::as_bytes(text);
      send(test, packet);
    }
  }
  void finish(const PlayedTest& test, protocol::Timestamp started) {
    client::TestReport report;
    report.id = test.id;
    report.status = test.status;
    report.worker = test.worker;
    report.attempt = test.attempt;
    report.will_retry = test.will_retry;
    if (test.timed) report.started_at = started;
    m_now = started + test.duration;
    report.ended_at = m_now;
    protocol::Packet packet;
    packet.status = test.status;
    packet.test_id = test.id;
    packet.timestamp = m_now;
    send(test, packet);
    ++m_counts.expected;
    ++m_counts.done;
    m_listener.on_result(report, m_counts);
  }
  void play(const PlayedTest& test) {
    const auto started = m_now;
    if (test.timed) start(test);
    attach(test);
    finish(test, started);
  }
  void tick() { m_listener.on_tick({}); }
  void end(bool interrupted = false) {
    client::Outcome outcome;
    outcome.counts = m_counts;
    outcome.interrupted = interrupted;
    outcome.elapsed = std::chrono::seconds(1);
    outcome.slots = 3;
    m_listener.on_end(outcome);
  }

 private:
  void send(const PlayedTest& test, protocol::Packet packet) {
    packet.route_code = "1";
    protocol::Bytes bytes;
    static_cast<void>(protocol::encode_file(packet, bytes));
    protocol::PacketDecoder decoder;
    decoder.feed(bytes);
    while (const auto event = decoder.next())
      m_listener.on_packet(test.worker, std::get<protocol::PacketView>(*event));
  }

  client::RunListener& m_listener;
  std::vector<std::string> m_ids{"played"};  // not empty: that is all that matters of them
  client::Counts m_counts;
  protocol::Timestamp m_now{std::chrono::seconds(1'800'000'000)};
};

}  // namespace hearth::test
