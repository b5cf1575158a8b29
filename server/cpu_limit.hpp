// How many CPUs this process may really use: its affinity mask and its cgroup's quota.
#pragma once

#include <filesystem>

namespace hearth::server {

// At least 1. `root` is where the file system begins ("/"; a test's own tree otherwise).
[[nodiscard]] unsigned usable_cpus(const std::filesystem::path& root = "/");

// The cgroup's quota in whole CPUs, rounded up; 0: none. cgroup v2 (cpu.max) and v1
// (cpu.cfs_quota_us).
[[nodiscard]] unsigned cgroup_cpus(const std::filesystem::path& root);

}  // namespace hearth::server
