// A child that becomes a program, and why where it could not.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "process/unique_fd.hpp"

namespace hearth::process {

// The words as exec takes them: valid as long as they are.
[[nodiscard]] std::vector<char*> exec_list(const std::vector<std::string>& words);

// A pipe, close-on-exec: `ours` is read, `theirs` written. False, and errno, where there is none.
[[nodiscard]] bool make_pipe(FdPair& pair);

// Readable when the process has ended; close-on-exec. Empty, and errno, where there is none.
[[nodiscard]] UniqueFd open_pid(pid_t pid);

struct Forked {
  pid_t pid;  // -1: there is no child
  int error;  // then: the errno of what went wrong, here or in the child
};

// Of the child: all signals at their defaults and none blocked; or ignored and blocked what was so
// when this process began, as under nohup.
enum class Signals { defaults, inherited };

// Makes the calling process's signals those.
void reset_signals(Signals signals);

// Forks. In the child signals are as `signals` says; `become` makes it what it is to be and execs.
// Where it cannot it returns with errno set: the child is gone then, and reaped. What it sets up
// has the descriptors up to `top` to itself. Returns when exec has been done. One thread.
[[nodiscard]] Forked fork_exec(const std::function<void()>& become, int top = 2,
                               Signals signals = Signals::defaults);

}  // namespace hearth::process
