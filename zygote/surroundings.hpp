// What a test finds as its program left it, whatever the code here does in its process meanwhile.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cfenv>
#include <vector>

namespace hearth::zygote {

// Keeps the flags and modes of the floating-point unit, and errno, from its beginning to its end.
class Untouched {
 public:
  Untouched() : m_errno(errno) { std::fegetenv(&m_environment); }
  ~Untouched() {
    std::fesetenv(&m_environment);
    errno = m_errno;
  }
  Untouched(const Untouched&) = delete;
  Untouched& operator=(const Untouched&) = delete;

 private:
  const int m_errno;
  std::fenv_t m_environment;
};

// The descriptors that refer to the pipes which the server gave this process for its stdout and
// stderr: 1 and 2, unless the program has put something else there, and whatever it has duplicated
// (loggers do, and those who print while 1 and 2 are captured). In a fork they all refer to its own
// pipes.
class OutputDescriptors {
 public:
  // Takes 1 and 2 for the server's pipes.
  void take_standard();
  // Looks through this process's descriptors. 1 or 2, if closed, is opened, and one of them.
  void find();
  // Those found refer to the pipes at `out` and `err` from now on, which are closed. Close-on-exec
  // stays what it is.
  void redirect(int out, int err);

 private:
  struct File {
    dev_t device = 0;
    ino_t number = 0;
    bool operator==(const File& other) const {
      return number != 0 && device == other.device && number == other.number;
    }
  };
  struct Found {
    int descriptor;
    bool is_err;
    bool close_on_exec;
  };
  static File pipe_at(int descriptor);

  File m_out;
  File m_err;
  std::vector<Found> m_found;
};

}  // namespace hearth::zygote
