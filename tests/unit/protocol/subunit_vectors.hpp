// Reads spec/vectors/subunit-v1 and subunit-v2.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>

#include "tests/support/subunit/subunit_json.hpp"

namespace hearth::protocol::test {

inline Json read_subunit_vectors(const std::string& file) {
  std::ifstream in(std::string(HEARTH_VECTORS) + "/" + file);
  Json vectors = Json::parse(in);
  if (vectors.empty()) throw std::runtime_error("no vectors in " + file);
  return vectors;
}

}  // namespace hearth::protocol::test
