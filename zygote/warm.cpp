#include "hearth/warm.hpp"

#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include <vector>

#include "zygote/core.hpp"
#include "zygote/only.hpp"

namespace hearth {
namespace {

std::vector<void (*)()>& hooks() {
  return zygote::only<std::vector<void (*)()>>("hooks");
}

}  // namespace

bool on_warm(void (*hook)()) {
  hooks().push_back(hook);
  return true;
}

bool never_fork(const char* why) {
  zygote::why_not_to_fork() = why == nullptr || *why == '\0' ? "it asks for that" : why;
  return true;
}

namespace zygote {

std::string& why_not_to_fork() {
  return only<std::string>("why not to fork");
}

namespace {

[[noreturn]] void give_up(const char* cause) {
  std::fprintf(stderr, "hearth: a warm-up hook (hearth::on_warm) threw: %s\n", cause);
  std::fflush(nullptr);
  _exit(1);
}

}  // namespace

void run_warm_up_hooks() {
  try {
    for (std::size_t i = 0; i < hooks().size(); ++i) hooks()[i]();
  } catch (const std::exception& exception) {
    give_up(exception.what());
  } catch (...) {
    give_up("something that is no std::exception");
  }
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
