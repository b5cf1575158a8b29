#include "hearth/warm.hpp"

#include <dirent.h>

#include <vector>

#include "zygote/core.hpp"

namespace hearth {
namespace {

std::vector<void (*)()>& hooks() {
  static std::vector<void (*)()> list;
  return list;
}

}  // namespace

bool on_warm(void (*hook)()) {
  hooks().push_back(hook);
  return true;
}

namespace zygote {

void run_warm_up_hooks() {
  for (std::size_t i = 0; i < hooks().size(); ++i) hooks()[i]();
}

unsigned thread_count() {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return 1;
  unsigned count = 0;
  while (const dirent* entry = readdir(tasks)) count += entry->d_name[0] != '.';
  closedir(tasks);
  return count == 0 ? 1 : count;
}

}  // namespace zygote
}  // namespace hearth
