// Reads spec/vectors/rpc for the tests of messages and of their assembly.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "protocol/rpc_message.hpp"

namespace hearth::protocol::test {

using Json = nlohmann::json;

inline Json read_vectors(const std::string& file) {
  std::ifstream in(std::string(HEARTH_VECTORS) + "/rpc/" + file);
  auto vectors = Json::parse(in);
  if (vectors.empty()) throw std::runtime_error("no vectors in " + file);
  return vectors;
}

inline std::string part_bytes(const Json& part) {
  std::string bytes;
  if (part.contains("text")) {
    bytes = part.at("text").get<std::string>();
  } else {
    const auto hex = part.at("hex").get<std::string>();
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  std::string all;
  for (int times = part.value("times", 1); times > 0; --times) all += bytes;
  return all;
}

// Bytes as the vectors give them: a string, a part, or a list of parts.
inline std::string bytes_of(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object()) return part_bytes(json);
  std::string all;
  for (const auto& part : json) all += part_bytes(part);
  return all;
}

// A message in the form in which the vectors give readings.
inline Json reading_of(const Message& message) {
  return Json::parse(to_json(message));
}

inline Json expanded(Json reading) {
  if (reading.contains("nonce")) reading["nonce"] = bytes_of(reading["nonce"]);
  if (reading.contains("tests") && reading["tests"].is_object()) {
    const auto repeat = reading["tests"];
    reading["tests"] = std::vector<std::string>(repeat.at("times").get<std::size_t>(),
                                                repeat.at("repeat").get<std::string>());
  }
  return reading;
}

}  // namespace hearth::protocol::test
