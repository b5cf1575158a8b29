// What the tests of the sequence_* programs share, besides their process: they tell in which it is,
// what has run in it, and meet the test that started the server in the folder $FAULTS_DIR.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace sequence {

inline bool first_has_run = false;  // in this process
inline int tests_run = 0;

// Every test calls it, and prints where it is: "PID ordinal".
inline void here() {
  std::printf("%d %d\n", static_cast<int>(getpid()), ++tests_run);
}

inline void tell(const char* file, const std::string& line) {
  const char* const folder = std::getenv("FAULTS_DIR");
  if (folder == nullptr) return;
  const int fd = open((std::string(folder) + '/' + file).c_str(),
                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const std::string text = line + '\n';
  if (write(fd, text.data(), text.size()) < 0) std::abort();
  close(fd);
}

// Returns when the gate has been opened for one more.
inline void pass_gate(const char* name) {
  const int fd =
      open((std::string(std::getenv("FAULTS_DIR")) + '/' + name).c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  if (read(fd, &byte, 1) != 1) std::abort();
  close(fd);
}

[[noreturn]] inline void hang() {
  for (;;) pause();
}

}  // namespace sequence
