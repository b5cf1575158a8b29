#include "server/orphans.hpp"

#include <signal.h>
#include <sys/wait.h>

#include "process/children.hpp"

namespace hearth::server {
namespace {

constexpr int max_rounds = 1000;
constexpr std::size_t max_named = 20;

}  // namespace

Orphans::Orphans() : m_children_list(process::open_children_list()) {
  process::become_subreaper();
}

std::vector<LeftProcess> Orphans::kill_left_by(std::uint64_t execution, pid_t group) {
  std::vector<LeftProcess> left;
  bool found = true;
  for (int round = 0; found && round < max_rounds; ++round) {
    found = false;
    for (const pid_t child : process::read_children(m_children_list.get())) {
      if (m_known.contains(child)) continue;
      if (getpgid(child) != group && process::marker_of(child) != execution) continue;
      const std::string command = process::command_of(child);
      if (!process::is_zombie(child) && !process::is_symbolizer(command) &&
          left.size() < max_named) {
        left.push_back({static_cast<std::uint64_t>(child), command});
      }
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      found = true;
    }
  }
  return left;
}

void Orphans::kill_strays(const std::unordered_set<std::uint64_t>& live, bool tests_run) {
  for (const pid_t child : process::read_children(m_children_list.get())) {
    if (m_known.contains(child)) continue;
    const auto mark = process::marker_of(child);
    if (mark ? !live.contains(*mark) : !tests_run) kill(child, SIGKILL);
  }
}

}  // namespace hearth::server
