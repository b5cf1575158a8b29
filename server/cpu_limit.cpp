#include "server/cpu_limit.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace hearth::server {
namespace fs = std::filesystem;
namespace {

unsigned whole_cpus(double quota, double period) {
  return quota > 0 && period > 0 ? static_cast<unsigned>(std::ceil(quota / period)) : 0;
}

// The smaller of two limits, where 0 is none.
unsigned tighter(unsigned a, unsigned b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

unsigned v2_quota(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return 0;
  return whole_cpus(std::atof(quota.c_str()), period);
}

unsigned v1_quota(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us");
  std::ifstream period_file(group / "cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return 0;
  return whole_cpus(quota, period);
}

// The limit of a group and of all above it.
unsigned along(const fs::path& mount, fs::path group, unsigned (*quota)(const fs::path&)) {
  unsigned limit = quota(mount);
  for (; group.has_relative_path(); group = group.parent_path()) {
    limit = tighter(limit, quota(mount / group.relative_path()));
  }
  return limit;
}

}  // namespace

unsigned cgroup_cpus(const fs::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  unsigned limit = 0;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const fs::path group = line.substr(second + 1);
    if (controllers == ",,") {
      limit = tighter(limit, along(root / "sys/fs/cgroup", group, v2_quota));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      limit = tighter(limit, along(root / "sys/fs/cgroup/cpu", group, v1_quota));
    }
  }
  return limit;
}

unsigned usable_cpus(const fs::path& root) {
  cpu_set_t allowed;
  const unsigned affinity = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                                ? static_cast<unsigned>(CPU_COUNT(&allowed))
                                : 1;
  return std::max(1u, tighter(affinity, cgroup_cpus(root)));
}

}  // namespace hearth::server
