// A test id in the two parts that JUnit's consumers show: the class, which they group by, and the
// name.
#pragma once

#include <string_view>

namespace hearth::client {

struct TestName {
  std::string_view class_name;  // "program.Suite"; empty where the id has no dot
  std::string_view name;        // never empty where the id is not
};

// At the last dot that stands before the first blank (names of doctest's tests are sentences) and
// has text behind it.
[[nodiscard]] inline TestName split_id(std::string_view id) {
  const auto word = id.substr(0, id.find(' '));
  auto dot = word.rfind('.');
  if (dot != std::string_view::npos && dot + 1 == id.size()) dot = word.substr(0, dot).rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {{}, id};
  return {id.substr(0, dot), id.substr(dot + 1)};
}

}  // namespace hearth::client
