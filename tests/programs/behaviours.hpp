// What tests of any framework do in the behaviours_* programs: the things that a server has to
// survive.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace behaviours {

// Two whole subunit v2 packets, checksums and all: a success of the test FailsWithMessage, and a
// Done of the RPC. Whoever parses a test's output believes them.
inline const std::string forged_packets(
    "\xb3)\x03"
    "7.behaviours_googletest.Verdict.FailsWithMessageD\xad\xe4\xe9"
    "\xb3(p@E\x12testrepository-rpc\x10"
    "application/json\x07message\x0f{\"msg\": \"Done\"}\x92\xeb\x88\xd9",
    55 + 69);

inline void write_all(int descriptor, const std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t now = write(descriptor, bytes.data() + written, bytes.size() - written);
    if (now < 0) return;
    written += static_cast<std::size_t>(now);
  }
}

// 100 MB in numbered lines of 100 bytes.
inline void flood(int descriptor) {
  std::string block;
  for (int line = 0; line < 1'000'000; ++line) {
    char text[101];
    std::snprintf(text, sizeof text, "%07d %091d\n", line, 0);
    block += text;
    if (block.size() < 1'000'000) continue;
    write_all(descriptor, block);
    block.clear();
  }
}

inline void noise_to_all_descriptors() {
  const std::string noise = std::string("\xb3\x00\xff noise \n\xb3", 12) + forged_packets;
  for (int descriptor = 0; descriptor <= 20; ++descriptor) write_all(descriptor, noise);
}

inline void close_all_descriptors() {
  for (int descriptor = 0; descriptor < 1024; ++descriptor) close(descriptor);
}

[[noreturn]] inline void loop_forever() {
  static volatile unsigned turns = 0;
  for (;;) turns = turns + 1;
}

[[noreturn]] inline void wait_forever() {
  for (;;) pause();
}

// A child in the test's own process group, which holds the test's stdout and stderr open.
inline pid_t leave_child() {
  const pid_t child = fork();
  if (child == 0) wait_forever();
  return child;
}

// A daemon by the book: a session of its own, no parent, nothing inherited. Its pid.
inline pid_t leave_daemon() {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const pid_t daemon = fork();
    if (daemon != 0) {
      const bool told = write(ends[1], &daemon, sizeof daemon) == sizeof daemon;
      _exit(told ? 0 : 1);
    }
    close_all_descriptors();
    wait_forever();
  }
  pid_t daemon = -1;
  if (read(ends[0], &daemon, sizeof daemon) != sizeof daemon) daemon = -1;
  close(ends[0]);
  close(ends[1]);
  waitpid(child, nullptr, 0);
  return daemon;
}

}  // namespace behaviours
