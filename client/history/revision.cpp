#include "client/history/revision.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <set>

namespace hearth::client {
namespace {

// Words of a shell, and the values in them: what stands between any of these.
constexpr const char* separators = " \t\n'\"=;&|()<>";

void add_files(const std::string& text, std::set<std::string>& files) {
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find_first_of(separators, begin), text.size());
    const auto word = text.substr(begin, end - begin);
    begin = end + 1;
    struct stat status {};
    if (word.empty() || word.starts_with("/proc/") || word.starts_with("/dev/") ||
        stat(word.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
      continue;
    files.insert(word + " " + std::to_string(status.st_size) + " " +
                 std::to_string(status.st_mtim.tv_sec) + "." +
                 std::to_string(status.st_mtim.tv_nsec));
  }
}

// FNV-1a of 64 bits: short, and the same in every build.
std::string digest(const std::set<std::string>& lines) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const auto& line : lines)
    for (const char c : line + "\n") {
      value ^= static_cast<unsigned char>(c);
      value *= 0x100000001b3;
    }
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[value >> shift & 0xF];
  return text;
}

}  // namespace

std::string revision_of(const std::vector<std::vector<std::string>>& commands) {
  std::set<std::string> files;
  std::set<std::vector<std::string>> seen;  // the same command for each of many workers
  for (const auto& command : commands)
    if (seen.insert(command).second)
      for (const auto& word : command) add_files(word, files);
  return files.empty() ? "" : digest(files);
}

}  // namespace hearth::client
