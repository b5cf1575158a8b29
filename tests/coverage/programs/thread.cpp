// Not instrumented: how far a thread has come is nobody's count.
#include <pthread.h>
#include <signal.h>

#include <cstdlib>

namespace {

void* sleep_for_ever(void*) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  for (int signal = 0;;) sigwait(&all, &signal);
}

}  // namespace

void start_thread_if_asked() {
  pthread_t thread;
  if (std::getenv("STARTS_THREAD") != nullptr)
    pthread_create(&thread, nullptr, sleep_for_ever, nullptr);
}
