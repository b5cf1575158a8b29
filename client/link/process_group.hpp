// The processes of a group, as /proc shows them: which live, which stand still.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace hearth::client {

struct GroupMember {
  pid_t pid = -1;
  bool stopped = false;  // by a signal (SIGSTOP, SIGTSTP); one that a debugger holds is not
  std::string name;      // as `ps` has it, at most 15 bytes
};

// Zombies left out. Reads every entry of /proc: a millisecond or so.
[[nodiscard]] std::vector<GroupMember> members_of_group(pid_t group);

}  // namespace hearth::client
