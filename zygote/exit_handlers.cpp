#include "zygote/exit_handlers.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "zygote/core.hpp"
#include "zygote/leak_check.hpp"
#include "zygote/only.hpp"

extern "C" {
__attribute__((visibility("hidden"))) extern void* __dso_handle;
int __cxa_atexit(void (*handler)(void*), void* argument, void* dso);
void __cxa_finalize(void* dso);
// glibc's list of destructors of thread_local objects; exit() runs it first, and only whole.
__attribute__((weak)) int __cxa_thread_atexit_impl(void (*handler)(void*), void* argument,
                                                   void* dso);
// LeakSanitizer, in a program that has it: what is allocated in between is no leak.
__attribute__((weak)) void __lsan_disable();
__attribute__((weak)) void __lsan_enable();
}

namespace hearth::zygote {

struct ExitState {
  std::intptr_t marks = 0;    // registered so far
  std::intptr_t stop_at = 0;  // the one at which this process ends; 0: none
  pid_t owner = 0;            // the process that stop_at is of
  bool over = false;          // run_exit_handlers() has begun
};

namespace {

ExitState& state = only<ExitState>("exit handlers");

bool is_stop(const void* mark) {
  return reinterpret_cast<std::intptr_t>(mark) == state.stop_at && state.owner == getpid();
}

void end(int status) {
  report::at_process_end();
  _exit(status);
}

[[noreturn]] void stop(int status) {
  leak_check::from_park(end, status);
}

void at_exit_mark(void* mark) {
  if (is_stop(mark)) stop(0);
}

// The destructors of thread_locals that the warm program made would come next. Those of handlers
// that only exit() knows (on_exit) are left out with them.
void at_thread_mark(void* mark) {
  if (is_stop(mark) && state.over) __cxa_finalize(nullptr);
}

#ifdef __GLIBC__
void at_mark_with_status(int status, void* mark) {
  if (is_stop(mark)) stop(status);
}
#endif

}  // namespace

// The last one registered comes first: on_exit() is told the status of a test that calls exit().
void mark_exit_handlers() {
  void* const mark = reinterpret_cast<void*>(++state.marks);
  __cxa_atexit(at_exit_mark, mark, &__dso_handle);
#ifdef __GLIBC__
  on_exit(at_mark_with_status, mark);
#endif
  if (__cxa_thread_atexit_impl == nullptr) return;
  // Of its list's first element, which runs, glibc keeps no pointer.
  if (__lsan_disable != nullptr) __lsan_disable();
  __cxa_thread_atexit_impl(at_thread_mark, mark, &__dso_handle);
  if (__lsan_enable != nullptr) __lsan_enable();
}

void stop_at_exit_mark() {
  state.stop_at = state.marks;
  state.owner = getpid();
}

void run_exit_handlers() {
  state.over = true;
  std::exit(0);
}

}  // namespace hearth::zygote
