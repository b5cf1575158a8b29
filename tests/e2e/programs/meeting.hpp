// Where a test program meets the test that started its server: the folder $FAULTS_DIR. A line in a
// file there tells how far it is, and a gate (a FIFO) makes it wait.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

inline std::string in_folder(const std::string& name) {
  return std::string(std::getenv("FAULTS_DIR")) + '/' + name;
}

inline void tell(const std::string& file, const std::string& line) {
  const int fd = open(in_folder(file).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const std::string text = line + '\n';
  if (write(fd, text.data(), text.size()) < 0) std::abort();
  close(fd);
}
inline void tell_pid(const std::string& file) {
  tell(file, std::to_string(getpid()));
}

// Returns when the gate has been opened for one more.
inline void pass_gate(const std::string& name) {
  const int fd = open(in_folder(name).c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  if (read(fd, &byte, 1) != 1) std::abort();
  close(fd);
}

// True for the first caller, in whatever process.
inline bool is_first(const std::string& name) {
  const int fd = open(in_folder(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd >= 0) close(fd);
  return fd >= 0;
}
