// Code that tests of every framework run, so that its lines are counted. Lines marked set-up and
// tear-down are a suite's.
#pragma once

#include <csignal>
#include <cstdlib>

int classify(int number);  // library.cpp

// thread.cpp: with STARTS_THREAD in the environment the program cannot be forked.
void start_thread_if_asked();

inline int twice(int number) {
  return 2 * number;
}

// Runs its loop that often.
inline int work(int times) {
  int sum = 0;
  for (int i = 0; i < times; ++i) {
    sum += i % 2 == 0 ? twice(i)
                      : classify(i);
  }
  return sum;
}

inline void prepare() {
  std::atexit([] {
    work(2);
  });
  work(3);
}

inline void clean_up() {
  work(4);
}

inline void prepare_suite() {  // set-up
  static int prepared = 0;     // set-up
  ++prepared;                  // set-up
}  // set-up

inline void clean_up_suite() {  // tear-down
  static int cleaned = 0;       // tear-down
  ++cleaned;                    // tear-down
}  // tear-down

// Tests leave these on their way to their end, each its own.
inline void before_crash() {
  std::getenv("NOTHING");
}
inline void before_abort() {
  std::getenv("NOTHING");
}
inline void before_term() {
  std::getenv("NOTHING");
}
inline void before_kill() {
  std::getenv("NOTHING");
}
inline void at_end_of_test() {
  std::getenv("NOTHING");
}

inline void crash() {
  before_crash();
  std::raise(SIGSEGV);
}

// Its stack is used up: no handler can run on it.
inline int overflow(int depth) {
  volatile char much[4096] = {};
  much[depth % 4096] = 1;
  return depth < 0 ? much[0] : overflow(depth + 1) + much[1];
}
