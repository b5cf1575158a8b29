// Starts test programs: in a session of their own, with a worker channel, nothing else of ours
// inherited, their death bound to ours.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "server/program_spec.hpp"

namespace hearth::server {

// In the program: far from what programs use and close by number.
inline constexpr int channel_fd = 200;
// Names the channel's descriptor in the program's environment.
inline constexpr char channel_variable[] = "HEARTH_CHANNEL";

// Of a program built for coverage, what its process's counts are to those of processes before
// ([WC-3.6]).
enum class Counts { first, anew, adds };

struct SpawnSettings {
  std::string cwd;                       // empty: ours
  std::vector<std::string> environment;  // K=V, on top of ours
  Counts counts = Counts::first;
};

// Allows this process as many descriptors as it may have. What spawn() starts gets the limit from
// before: a program is to find what it finds when it is started by hand.
void raise_descriptor_limit();

struct SpawnedProgram {
  pid_t pid;
  UniqueFd channel;  // the worker channel's end; SOCK_SEQPACKET, non-blocking
  UniqueFd out;      // what the program prints; non-blocking
  UniqueFd err;
};

// `execution` marks the process's environment (process/children.hpp); 0: it runs no test.
[[nodiscard]] Expected<SpawnedProgram> spawn(const ProgramSpec& spec, const SpawnSettings& settings,
                                             std::uint64_t execution);

// Our end does not block; theirs does. Both are close-on-exec.
[[nodiscard]] Expected<FdPair> make_pipe();
[[nodiscard]] Expected<FdPair> make_channel();

}  // namespace hearth::server
