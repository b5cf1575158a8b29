// All that a test can see of its process, one line each: "world: KEY = VALUE". What is no property
// of the world that it was given (process numbers, times, memory) is left out.
//
// With WORLD_CHANGED in the environment the program changes what it can before main(); with
// WORLD_THREADS it starts a thread, so that it cannot be forked.
#pragma once

#include <cxxabi.h>
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>
#include <algorithm>
#include <cerrno>
#include <cfenv>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

extern char** environ;

namespace world {

inline void handle(int) {}

inline bool change() {
  if (getenv("WORLD_THREADS") != nullptr) {
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          for (;;) pause();
        },
        nullptr);
    pthread_setname_np(thread, "waits");
  }
  if (getenv("WORLD_CHANGED") == nullptr) return false;
  std::fesetround(FE_UPWARD);
  std::feraiseexcept(FE_DIVBYZERO | FE_INEXACT);
  umask(027);
  signal(SIGUSR1, SIG_IGN);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  sigaddset(&action.sa_mask, SIGALRM);
  sigaction(SIGCHLD, &action, nullptr);
  sigaction(SIGUSR2, &action, nullptr);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGWINCH);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  stack_t stack{};
  stack.ss_size = 64 * 1024;
  stack.ss_sp = std::malloc(stack.ss_size);
  sigaltstack(&stack, nullptr);
  prctl(PR_SET_NAME, "other-name");
  prctl(PR_SET_TIMERSLACK, 123'456);
  prctl(PR_SET_DUMPABLE, 1);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
  setrlimit(RLIMIT_CORE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 300);
  setrlimit(RLIMIT_NOFILE, &limit);
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 1);
  sched_param parameters{};
  sched_setscheduler(0, SCHED_BATCH, &parameters);
  std::setlocale(LC_ALL, "C.UTF-8");
  setenv("WORLD_SET", "by the program", 1);
  setenv("PATH", "/usr/bin:/bin", 1);
  if (chdir("/usr") != 0) return false;
  if (open("/dev/zero", O_RDONLY) < 0 || dup(2) < 0 || fcntl(1, F_DUPFD_CLOEXEC, 30) < 0)
    return false;
  return true;
}
inline const bool changed = change();

inline std::string hexadecimal(unsigned long long value) {
  char text[32];
  std::snprintf(text, sizeof text, "%llx", value);
  return text;
}

template <typename Value>
std::string text_of(Value value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << value;
  return text.str();
}

class Printer {
 public:
  void line(const std::string& key, const std::string& value) {
    std::string shown;
    for (const char c : value) shown += c == '\n' ? std::string("\\n") : std::string(1, c);
    m_text += "world: " + key + " = " + shown + "\n";
  }
  template <typename Value>
  void number(const std::string& key, Value value) {
    line(key, text_of(value));
  }
  const std::string& text() const { return m_text; }

 private:
  std::string m_text;
};

// First of all, as anything else may change it.
struct Volatile {
  int error = errno;
  std::fenv_t environment;
  int flags;
  Volatile() {
    std::fegetenv(&environment);
    flags = std::fetestexcept(FE_ALL_EXCEPT);
  }
};

inline void floating_point(Printer& print, const Volatile& first) {
  print.number("errno", first.error);
  print.line("fpu flags", hexadecimal(static_cast<unsigned>(first.flags)));
  print.number("fpu rounding", std::fegetround());
#if defined(__x86_64__)
  print.line("mxcsr", hexadecimal(_mm_getcsr()));
  std::uint16_t control = 0;
  __asm__ volatile("fnstcw %0" : "=m"(control));
  print.line("x87 control", hexadecimal(control));
#endif
}

inline void signals(Printer& print) {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0) continue;
    std::string text = action.sa_handler == SIG_DFL   ? "default"
                       : action.sa_handler == SIG_IGN ? "ignored"
                                                      : "handled";
    text += " flags " + hexadecimal(static_cast<unsigned>(action.sa_flags)) + " mask ";
    for (int other = 1; other < NSIG; ++other) {
      if (sigismember(&action.sa_mask, other) == 1) text += std::to_string(other) + ',';
    }
    print.line("signal " + std::to_string(number), text);
  }
  stack_t stack{};
  sigaltstack(nullptr, &stack);
  print.number("alternate stack", (stack.ss_flags & SS_DISABLE) != 0 ? 0 : stack.ss_size);
}

inline void limits(Printer& print) {
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
    rlimit limit{};
    getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    print.line("limit " + std::to_string(resource),
               hexadecimal(limit.rlim_cur) + ' ' + hexadecimal(limit.rlim_max));
  }
}

inline void scheduling(Printer& print) {
  print.number("nice", getpriority(PRIO_PROCESS, 0));
  print.number("scheduler", sched_getscheduler(0));
  sched_param parameters{};
  sched_getparam(0, &parameters);
  print.number("scheduler priority", parameters.sched_priority);
  print.number("io priority", syscall(SYS_ioprio_get, 1, 0));
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::string cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus += std::to_string(cpu) + ',';
  }
  print.line("affinity", cpus);
  int policy = -1;
  unsigned long nodes[16] = {};
  syscall(SYS_get_mempolicy, &policy, nodes, sizeof nodes * 8, nullptr, 0);
  print.line("memory policy", std::to_string(policy) + ' ' + hexadecimal(nodes[0]));
  for (const int which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    itimerval timer{};
    getitimer(static_cast<__itimer_which>(which), &timer);
    print.number("timer " + std::to_string(which), timer.it_value.tv_sec);
  }
}

inline void words(Printer& print) {
  std::ifstream file("/proc/self/cmdline");
  int number = 0;
  for (std::string word; std::getline(file, word, '\0');)
    print.line("argument " + std::to_string(number++), word);
  number = 0;
  for (char** variable = environ; *variable != nullptr; ++variable)
    print.line("variable " + std::to_string(number++), *variable);
  print.line("name", program_invocation_name);
  print.line("executed as", reinterpret_cast<const char*>(getauxval(AT_EXECFN)));
  print.number("secure", getauxval(AT_SECURE));
  char folder[4096] = "";
  print.line("folder", getcwd(folder, sizeof folder) != nullptr ? folder : "?");
  char root[4096] = "";
  if (readlink("/proc/self/root", root, sizeof root - 1) > 0) print.line("root", root);
  print.line("locale", std::setlocale(LC_ALL, nullptr));
  print.line("time zone", tzname[0]);
}

inline std::string kind_of(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return "closed";
  if (S_ISFIFO(status.st_mode)) return "pipe";
  if (S_ISSOCK(status.st_mode)) return "socket";
  if (isatty(descriptor)) return "terminal";
  if (S_ISCHR(status.st_mode)) return "device " + hexadecimal(status.st_rdev);
  return S_ISREG(status.st_mode) ? "file" : S_ISDIR(status.st_mode) ? "folder" : "other";
}

inline void descriptors(Printer& print) {
  DIR* const folder = opendir("/proc/self/fd");
  std::vector<int> open;
  while (const dirent* const entry = readdir(folder)) {
    const int descriptor = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && descriptor != dirfd(folder)) open.push_back(descriptor);
  }
  closedir(folder);
  std::sort(open.begin(), open.end());
  for (const int descriptor : open) {
    print.line("descriptor " + std::to_string(descriptor),
               kind_of(descriptor) + " flags " +
                   hexadecimal(static_cast<unsigned>(fcntl(descriptor, F_GETFL))) +
                   (fcntl(descriptor, F_GETFD) == 0 ? "" : " close-on-exec") +
                   (lseek(descriptor, 0, SEEK_CUR) < 0 ? "" : " seekable"));
  }
}

inline void relations(Printer& print) {
  const pid_t self = getpid();
  print.line("session", getsid(0) == self ? "leads it" : "of another");
  print.line("group", getpgrp() == self ? "leads it" : "of another");
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  print.line("controlling terminal", terminal < 0 ? "none" : "there");
  if (terminal >= 0) close(terminal);
  print.line("main thread", self == syscall(SYS_gettid) ? "yes" : "no");
  print.line("user", text_of(getuid()) + ' ' + text_of(geteuid()) + ' ' + text_of(getgid()) + ' ' +
                         text_of(getegid()));
}

inline void controls(Printer& print) {
  print.line("personality", hexadecimal(static_cast<unsigned>(personality(0xffffffff))));
  int value = 0;
  prctl(PR_GET_PDEATHSIG, &value);
  print.number("signal at the parent's death", value);
  prctl(PR_GET_CHILD_SUBREAPER, &value);
  print.number("subreaper", value);
  char name[16] = "";
  prctl(PR_GET_NAME, name);
  print.line("thread's name", name);
  const struct {
    const char* key;
    int option;
  } plain[] = {{"dumpable", PR_GET_DUMPABLE},
               {"keep capabilities", PR_GET_KEEPCAPS},
               {"secure bits", PR_GET_SECUREBITS},
               {"timer slack", PR_GET_TIMERSLACK},
               {"no new privileges", PR_GET_NO_NEW_PRIVS},
               {"no huge pages", PR_GET_THP_DISABLE},
               {"machine checks", PR_MCE_KILL_GET},
               {"seccomp", PR_GET_SECCOMP}};
  for (const auto& one : plain) print.number(one.key, prctl(one.option, 0, 0, 0, 0));
}

inline void stack(Printer& print) {
  alignas(64) volatile char aligned[64] = {};
  print.number("stack aligned to 64", reinterpret_cast<std::uintptr_t>(&aligned[0]) % 64);
  print.number("frame aligned to 16",
               reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) % 16);
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  void* lowest = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto begin = reinterpret_cast<std::uintptr_t>(lowest);
  print.line("on the main stack", here >= begin && here < begin + size ? "yes" : "no");
  print.number("exceptions in flight", std::uncaught_exceptions());
}

inline void status(Printer& print) {
  const std::vector<std::string> ours{"Name",
                                      "Umask",
                                      "TracerPid",
                                      "Uid",
                                      "Gid",
                                      "Groups",
                                      "Threads",
                                      "SigPnd",
                                      "ShdPnd",
                                      "SigBlk",
                                      "SigIgn",
                                      "SigCgt",
                                      "CapInh",
                                      "CapPrm",
                                      "CapEff",
                                      "CapBnd",
                                      "CapAmb",
                                      "NoNewPrivs",
                                      "Seccomp",
                                      "Seccomp_filters",
                                      "Speculation_Store_Bypass",
                                      "CoreDumping",
                                      "THP_enabled",
                                      "Cpus_allowed",
                                      "Mems_allowed",
                                      "VmLck",
                                      "VmPin",
                                      "SpeculationIndirectBranch",
                                      "untag_mask",
                                      "x86_Thread_features"};
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (std::find(ours.begin(), ours.end(), line.substr(0, colon)) == ours.end()) continue;
    print.line("status " + line.substr(0, colon), line.substr(colon + 1));
  }
  for (const char* const name : {"oom_score_adj", "coredump_filter", "loginuid", "cgroup"}) {
    std::ifstream one(std::string("/proc/self/") + name);
    std::string line;
    std::getline(one, line);
    print.line(name, line);
  }
}

// To stdout, in one piece.
inline void print_all() {
  const Volatile first;
  Printer print;
  floating_point(print, first);
  signals(print);
  limits(print);
  scheduling(print);
  words(print);
  descriptors(print);
  relations(print);
  controls(print);
  stack(print);
  status(print);
  const mode_t mask = umask(0);
  umask(mask);
  print.line("umask", hexadecimal(mask));
  std::fflush(stdout);
  std::fputs(print.text().c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace world
