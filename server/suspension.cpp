#include "server/suspension.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <unordered_set>

namespace hearth::server {
namespace fs = std::filesystem;
namespace {

constexpr int most_rounds = 1000;
constexpr auto between_rounds = std::chrono::milliseconds(1);

// The state's letter; 'X' where there is no such process any more.
char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? 'X' : stat[name_end + 2];
}

// Of all its threads.
void add_children(pid_t of, std::vector<pid_t>& pids) {
  std::error_code gone;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(of) + "/task", gone)) {
    std::ifstream file(task.path() / "children");
    for (pid_t child = 0; file >> child;) pids.push_back(child);
  }
}

std::vector<pid_t> descendants() {
  std::vector<pid_t> pids;
  add_children(getpid(), pids);
  for (std::size_t i = 0; i < pids.size(); ++i) add_children(pids[i], pids);
  return pids;
}

}  // namespace

// Round by round, as one that has not stopped yet may have started another.
std::vector<pid_t> stop_descendants() {
  std::vector<pid_t> stopped;
  std::unordered_set<pid_t> told;
  for (int round = 0; round < most_rounds; ++round) {
    bool all_stand_still = true;
    for (const pid_t pid : descendants()) {
      const char state = state_of(pid);
      if (state == 'T' || state == 't' || state == 'Z' || state == 'X') continue;
      all_stand_still = false;
      if (!told.insert(pid).second) continue;
      kill(pid, SIGSTOP);
      stopped.push_back(pid);
    }
    if (all_stand_still) break;
    std::this_thread::sleep_for(between_rounds);
  }
  return stopped;
}

void set_going(const std::vector<pid_t>& stopped) {
  for (auto pid = stopped.rbegin(); pid != stopped.rend(); ++pid) kill(*pid, SIGCONT);
}

}  // namespace hearth::server
