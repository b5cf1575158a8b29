// What the test programs "ends_*" do at their end, as ENDS says, and what their tests leave for it.
// What happens is written, a line each, into the file ENDS_LOG.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

namespace ends {

inline bool is(const char* how) {
  const char* const wanted = std::getenv("ENDS");
  return wanted != nullptr && std::strcmp(wanted, how) == 0;
}

inline void log(const std::string& line) {
  const char* const path = std::getenv("ENDS_LOG");
  if (path == nullptr) return;
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string whole = line + '\n';
  if (write(file, whole.data(), whole.size()) < 0) std::abort();
  close(file);
}

// Made before the program parks: destroyed when the program ends, and by no test.
struct Program {
  Program() {
    std::atexit([] { log("atexit of the program"); });
    if (is("atexit")) std::atexit([] { std::abort(); });
    if (is("never")) {
      std::atexit([] {
        for (;;) pause();
      });
    }
  }
  ~Program() {
    log("static of the program");
    if (is("static")) _exit(3);
  }
};
inline Program program;
inline thread_local struct OfThread {
  bool used = false;
  ~OfThread() {
    if (used) log("thread_local of the program");
  }
} of_thread;

// A file that is opened before the program parks, and holds text when a test writes to it.
inline std::ofstream& file() {
  static std::ofstream stream;
  return stream;
}

// In main, before the tests.
inline void begin() {
  if (std::getenv("ENDS_THREAD") != nullptr) std::thread([] { pause(); }).detach();
  of_thread.used = true;
  if (const char* const path = std::getenv("ENDS_FILE")) {
    file().open(path, std::ios::app);
    file() << "begin\n";
  }
}

// In main, after the tests.
inline int end(int status) {
  log("main");
  if (is("abort")) std::abort();
  return is("status") ? 3 : status;
}

struct Left {
  const char* name;
  ~Left() { log(name); }
};

// In a test: what it registers for its end.
inline void registers() {
  static const Left local{"static of the test"};
  static thread_local const Left of_the_thread{"thread_local of the test"};
  log(of_the_thread.name[0] == 't' ? "test" : "");
  std::atexit([] { log("atexit of the test"); });
  file() << "test\n";
}

struct Aborts {
  ~Aborts() { std::abort(); }
};
inline void aborts_at_its_end() {
  static const Aborts aborts;
  (void)aborts;
}
inline void exits_with_3_at_its_end() {
  std::atexit([] { _exit(3); });
}

}  // namespace ends
