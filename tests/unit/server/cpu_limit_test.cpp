#include "server/cpu_limit.hpp"

#include <doctest/doctest.h>
#include <sched.h>

#include <vector>

#include "tests/support/temporary_folder.hpp"

using namespace hearth::server;
using hearth::test::TemporaryFolder;

TEST_CASE("CPU limit: the tightest quota along the cgroup's path, in whole CPUs") {
  using File = std::pair<const char*, const char*>;
  const struct {
    const char* what;
    std::vector<File> files;
    unsigned limit;
  } cases[] = {
      {"no cgroups", {}, 0},
      {"version 2, no limit",
       {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "max 100000\n"}},
       0},
      {"version 2, whole",
       {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "200000 100000\n"}},
       2},
      {"rounded up",
       {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "150000 100000\n"}},
       2},
      {"less than one",
       {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "1000 100000\n"}},
       1},
      {"a group's own",
       {{"proc/self/cgroup", "0::/a/b\n"}, {"sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"}},
       3},
      {"the group above is tighter",
       {{"proc/self/cgroup", "0::/a/b\n"},
        {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
        {"sys/fs/cgroup/a/cpu.max", "100000 100000\n"}},
       1},
      {"the group below is tighter",
       {{"proc/self/cgroup", "0::/a/b\n"},
        {"sys/fs/cgroup/a/b/cpu.max", "100000 100000\n"},
        {"sys/fs/cgroup/a/cpu.max", "700000 100000\n"}},
       1},
      {"version 1",
       {{"proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/y\n"},
        {"sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "400000\n"},
        {"sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n"}},
       4},
      {"version 1, none",
       {{"proc/self/cgroup", "5:cpu:/\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}},
       0},
      {"another controller's",
       {{"proc/self/cgroup", "5:cpuset:/x\n"}, {"sys/fs/cgroup/cpu.max", "100000 100000"}},
       0},
      {"both versions",
       {{"proc/self/cgroup", "1:cpu:/x\n0::/\n"},
        {"sys/fs/cgroup/cpu.max", "500000 100000\n"},
        {"sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "300000\n"},
        {"sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n"}},
       3},
      {"nonsense",
       {{"proc/self/cgroup", "nonsense\n::\n0::/\n"}, {"sys/fs/cgroup/cpu.max", "a b c"}},
       0},
      {"a zero period",
       {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "100000 0\n"}},
       0},
      {"a long number", {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "1e30 1\n"}}, 0},
  };
  for (const auto& one : cases) {
    CAPTURE(one.what);
    const TemporaryFolder root;
    for (const auto& [name, content] : one.files) root.write(name, content);
    if (std::string(one.what) == "a long number") {
      CHECK(usable_cpus(root.path()) >= 1);
    } else {
      CHECK(cgroup_cpus(root.path()) == one.limit);
    }
  }
}

TEST_CASE("CPU limit: never more than the affinity allows, never less than one") {
  cpu_set_t allowed;
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  const TemporaryFolder root;
  CHECK(usable_cpus(root.path()) == static_cast<unsigned>(CPU_COUNT(&allowed)));
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/cpu.max", "10 100000\n");
  CHECK(usable_cpus(root.path()) == 1);
  root.write("sys/fs/cgroup/cpu.max", "100000000 100000\n");
  CHECK(usable_cpus(root.path()) == static_cast<unsigned>(CPU_COUNT(&allowed)));
}
