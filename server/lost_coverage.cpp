#include "server/lost_coverage.hpp"

#include <algorithm>
#include <array>

namespace hearth::server {
namespace {

constexpr std::array<std::string_view, 4> beginnings{
    "profiling:",  // libgcov, and clang's imitation of it
    "libgcov profiling error:", "LLVM Profile Error:",
    "hearth: coverage is lost:",  // zygote/coverage.cpp
};
constexpr std::string_view replaced = "overwriting an existing profile data";

bool tells_of_loss(std::string_view line) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return line.starts_with(beginning); }) &&
         line.find(replaced) == std::string_view::npos;
}

}  // namespace

std::string lost_coverage(std::string_view printed) {
  std::string lines;
  while (!printed.empty()) {
    const std::string_view line = printed.substr(0, printed.find('\n'));
    if (tells_of_loss(line)) (lines += line) += '\n';
    printed.remove_prefix(std::min(printed.size(), line.size() + 1));
  }
  return lines;
}

}  // namespace hearth::server
