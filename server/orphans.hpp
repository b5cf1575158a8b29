// The server's own children: the programs it started, which are known, and what these left behind,
// which the kernel makes ours (the server is a subreaper).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "process/unique_fd.hpp"
#include "server/verdict.hpp"

namespace hearth::server {

class Orphans {
 public:
  Orphans();

  // Of every process that the server itself starts, and of every one that it has waited for.
  void started(pid_t pid) { m_known.insert(pid); }
  void reaped(pid_t pid) { m_known.erase(pid); }
  [[nodiscard]] bool is_known(pid_t pid) const { return m_known.contains(pid); }

  // Kills what a test left: of its process group, or with its mark. Gives their names.
  std::vector<LeftProcess> kill_left_by(std::uint64_t execution, pid_t group);
  // Kills every orphan whose mark is not among the live ones; one without a mark (its environment
  // was cleared) only where no test runs that it could belong to.
  void kill_strays(const std::unordered_set<std::uint64_t>& live, bool tests_run);

  [[nodiscard]] int children_list() const { return m_children_list.get(); }

 private:
  UniqueFd m_children_list;
  std::unordered_set<pid_t> m_known;
};

}  // namespace hearth::server
