#include "client/link/process_group.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "process/unique_fd.hpp"

namespace hearth::client {
namespace {

// "PID (NAME) STATE PARENT GROUP ..."; a name may hold anything, parentheses and blanks too. A
// process may end at any time, also between the opening and the reading of its file.
std::optional<GroupMember> read_member(pid_t pid, pid_t group) {
  const UniqueFd file(
      open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> buffer{};
  const auto size = file ? read(file.get(), buffer.data(), buffer.size() - 1) : -1;
  if (size <= 0) return std::nullopt;
  const std::string_view line(buffer.data(), static_cast<std::size_t>(size));
  const auto name = line.find('(');
  const auto end = line.rfind(')');
  if (name == line.npos || end == line.npos || end < name) return std::nullopt;
  char state = 0;
  long parent = 0;
  long its_group = 0;
  if (std::sscanf(buffer.data() + end + 1, " %c %ld %ld", &state, &parent, &its_group) != 3 ||
      its_group != group || state == 'Z' || state == 'X')
    return std::nullopt;
  return GroupMember{pid, state == 'T', std::string(line.substr(name + 1, end - name - 1))};
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
