#include "client/link/process_group.hpp"

#include <dirent.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

namespace hearth::client {
namespace {

// "PID (NAME) STATE PARENT GROUP ..."; a name may hold anything, parentheses and blanks too.
std::optional<GroupMember> read_member(pid_t pid, pid_t group) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open)
    return std::nullopt;  // it has ended meanwhile
  char state = 0;
  long parent = 0;
  long its_group = 0;
  if (std::sscanf(line.c_str() + close + 1, " %c %ld %ld", &state, &parent, &its_group) != 3 ||
      its_group != group || state == 'Z' || state == 'X')
    return std::nullopt;
  return GroupMember{pid, state == 'T', line.substr(open + 1, close - open - 1)};
}

}  // namespace

std::vector<GroupMember> members_of_group(pid_t group) {
  std::vector<GroupMember> members;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  while (const dirent* const entry = proc ? readdir(proc.get()) : nullptr) {
    const auto pid = std::strtol(entry->d_name, nullptr, 10);
    if (pid <= 0) continue;
    if (auto member = read_member(static_cast<pid_t>(pid), group))
      members.push_back(std::move(*member));
  }
  return members;
}

}  // namespace hearth::client
