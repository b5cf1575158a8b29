// Reads configuration files for a comparison with Python: a JSON list of their texts on stdin; on
// stdout a list with what came of each, {"error": TEXT} or {"values": {KEY: {"value": TEXT} or
// {"error": TEXT}}}.
#include <iostream>
#include <nlohmann/json.hpp>

#include "client/project/config_file.hpp"

using nlohmann::json;

namespace {

json reading_of(const std::string& text) {
  const auto file = hearth::client::ConfigFile::parse(text, "FILE");
  if (!file) return {{"error", file.error().text()}};
  auto values = json::object();
  for (const auto& key : file->keys()) {
    const auto setting = file->get(key);
    values[key] =
        setting ? json{{"value", (*setting)->value}} : json{{"error", setting.error().text()}};
  }
  return {{"values", values}};
}

}  // namespace

int main() {
  auto readings = json::array();
  for (const auto& text : json::parse(std::cin)) readings.push_back(reading_of(text));
  std::cout << readings << '\n';
}
