#include "client/reports/json_report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "client/reports/failure_details.hpp"
#include "client/text.hpp"
#include "protocol/utf8.hpp"

namespace hearth::client {

using Json = nlohmann::ordered_json;
using protocol::TestStatus;

namespace {

constexpr int version = 1;  // of the schema; a new key is no new version

double seconds_of(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// RFC 3339, UTC, in nanoseconds.
std::string time_text(protocol::Timestamp at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const auto time = static_cast<std::time_t>(second.time_since_epoch().count());
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 48> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + size, text.size() - size, ".%09lldZ",
                static_cast<long long>((at - second).count()));
  return text.data();
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto size = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += j <= size ? digits[group >> (18 - 6 * j) & 63U] : '=';
  }
  return out;
}

Json counts_json(const Counts& counts) {
  return {{"expected", counts.expected}, {"done", counts.done},       {"passed", counts.passed},
          {"failed", counts.failed},     {"skipped", counts.skipped}, {"xfailed", counts.xfailed},
          {"flaky", counts.flaky},       {"lost", counts.lost}};
}

void add_file(Json& event, const protocol::PacketView& packet) {
  const auto content = protocol::as_text(packet.file_content);
  event["name"] = *packet.file_name;
  if (packet.mime_type) event["mime_type"] = *packet.mime_type;
  if (protocol::check_string(content) == protocol::StringFault::none)
    event["text"] = content;
  else
    event["base64"] = base64(content);
}

}  // namespace

void JsonReport::on_note(std::string_view line) {
  write({{"event", "note"}, {"text", printable(line)}});
}

void JsonReport::on_begin(const RunInfo& run) {
  write({{"event", "begin"},
         {"version", version},
         {"time", time_text(run.started_at)},
         {"tests", run.ids->size()},
         {"all", run.all},
         {"servers", run.workers}});
}

void JsonReport::on_packet(Worker worker, const protocol::PacketView& packet) {
  if (!packet.test_id) return;
  if (packet.status == TestStatus::inprogress) {
    Json event{{"event", "started"}, {"id", *packet.test_id}, {"server", worker}};
    if (packet.timestamp) event["time"] = time_text(*packet.timestamp);
    write(event);
  }
  if (!packet.file_name || packet.file_content.empty()) return;
  Json event{{"event", "output"}, {"id", *packet.test_id}, {"server", worker}};
  add_file(event, packet);
  write(event);
}

void JsonReport::on_result(const TestReport& report, const Counts&) {
  Json event{{"event", "result"},
             {"id", report.id},
             {"server", report.worker},
             {"status", report.lost ? "lost" : protocol::to_string(report.status)}};
  if (report.attempt > 1) event["attempt"] = report.attempt;
  if (report.will_retry) event["will_retry"] = true;
  if (report.is_flaky()) event["flaky"] = true;
  if (!report.asked_for) event["asked_for"] = false;
  if (report.started_at) event["started"] = time_text(*report.started_at);
  if (report.ended_at) event["time"] = time_text(*report.ended_at);
  if (const auto duration = report.duration()) event["duration"] = seconds_of(*duration);
  if (report.expected) event["expected_duration"] = seconds_of(*report.expected);
  if (auto message = message_of(report); !message.empty()) event["message"] = std::move(message);
  write(event);
}

void JsonReport::on_end(const Outcome& outcome) {
  Json event{{"event", "end"},
             {"counts", counts_json(outcome.counts)},
             {"duration", seconds_of(outcome.elapsed)},
             {"interrupted", outcome.interrupted},
             {"stopped_early", outcome.stopped_early},
             {"missing", outcome.missing}};
  if (const auto count = outcome.counts.unasked_failures; count != 0)
    event["counts"]["unasked_failures"] = count;
  if (outcome.cpu) event["cpu"] = seconds_of(*outcome.cpu);
  if (outcome.lost) event["lost"] = *outcome.lost;
  if (!outcome.doubts.empty()) event["doubts"] = outcome.doubts;
  write(event);
}

void JsonReport::write(const Json& event) {
  m_file.write(event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace hearth::client
