#include "server/status.hpp"

#include <unistd.h>

#include <ctime>
#include <nlohmann/json.hpp>

namespace hearth::server {
namespace {

using Time = std::chrono::system_clock::time_point;
using Json = nlohmann::ordered_json;

std::string iso(Time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count() %
      1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[48];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text + length, sizeof text - length, ".%06dZ", static_cast<int>(micros));
  return text;
}

const Time server_since = std::chrono::system_clock::now();

}  // namespace

std::string to_json(const ServerState& state) {
  Json json{{"hearth", HEARTH_VERSION},   {"pid", getpid()},
            {"since", iso(server_since)}, {"address", state.address},
            {"idle", state.idle.count()}, {"sessions", Json::array()},
            {"programs", Json::array()},  {"running", Json::array()}};
  for (const auto& one : state.sessions) {
    json["sessions"].push_back(
        {{"id", one.number}, {"since", iso(one.since)}, {"runs", one.runs}, {"left", one.left}});
  }
  for (const auto& one : state.programs) {
    json["programs"].push_back({{"name", one.name},
                                {"path", one.path},
                                {"mode", one.mode},
                                {"framework", one.framework},
                                {"tests", one.tests},
                                {"pid", one.pid},
                                {"generation", one.generation},
                                {"since", iso(one.since)}});
  }
  for (const auto& one : state.running) {
    json["running"].push_back(
        {{"id", one.id}, {"session", one.session}, {"since", iso(one.since)}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace hearth::server
