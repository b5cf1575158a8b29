#include "zygote/leak_check.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <ucontext.h>
#endif

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include "zygote/core.hpp"

extern "C" {
__attribute__((weak)) int __lsan_do_recoverable_leak_check();
__attribute__((weak)) void __sanitizer_set_report_fd(void* descriptor);
__attribute__((weak)) void __asan_handle_no_return();
// The program's own, and in clang's runtime one that says nothing.
__attribute__((weak)) const char* __asan_default_options();
__attribute__((weak)) const char* __lsan_default_options();
}

namespace hearth::zygote::leak_check {
namespace {

bool is_there() {
  return __lsan_do_recoverable_leak_check != nullptr && __sanitizer_set_report_fd != nullptr;
}

// A paragraph of a report: "Direct leak of 44 byte(s) in 1 object(s) allocated from:", and the
// stack.
struct Amount {
  std::uint64_t bytes = 0;
  std::uint64_t objects = 0;
};
using Paragraphs = std::map<std::string, Amount, std::less<>>;  // by kind and stack

struct State {
  bool can_look = true;   // false: LeakSanitizer cannot work here (ptrace is not allowed)
  Paragraphs at_park;     // leaked when this process parked
  Paragraphs not_ours;    // leaked when it was forked, and what it has said itself
  char* stack = nullptr;  // of the call that parked
};

State& state() {
  static State* const the_state = new State;  // outlives static destruction
  return *the_state;
}

struct Look {
  enum class Result { clean, leaks, cannot };
  Result result;
  std::string report;
};

std::string content_of(int file) {
  constexpr std::size_t most = std::size_t{16} << 20;
  std::string content;
  char piece[16 * 1024];
  for (ssize_t got; content.size() < most; content.append(piece, static_cast<std::size_t>(got))) {
    got = pread(file, piece, sizeof piece, static_cast<off_t>(content.size()));
    if (got <= 0) break;
  }
  return content;
}

// Zeroes what the frames of calls that have returned left below this one's.
__attribute__((noinline, no_sanitize("address"))) void clear_dead_frames() {
  volatile char area[48 * 1024];
  for (std::size_t i = 0; i < sizeof area; ++i) area[i] = 0;
}

bool report_into(int file) {
  __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<std::intptr_t>(file)));
  return __lsan_do_recoverable_leak_check() != 0;
}

// Where there is no way to write a report into, it goes to stderr.
int report_file() {
  const int file = memfd_create("hearth-leaks", MFD_CLOEXEC);
  return file >= 0 ? move_up(file, 100) : STDERR_FILENO;
}

Look look_here() {
  const int file = report_file();
  Look look{report_into(file) ? Look::Result::leaks : Look::Result::clean, {}};
  __sanitizer_set_report_fd(reinterpret_cast<void*>(std::intptr_t{STDERR_FILENO}));
  if (file == STDERR_FILENO) return look;
  look.report = content_of(file);
  close(file);
  return look;
}

// In a fork, since LeakSanitizer ends the process where it cannot work, and to look changes where
// reports go. The fork tells nobody of its end (no SIGCHLD), and does not run the program's fork
// handlers. With threads it would miss what only they point to.
Look look_in_fork() {
  if (thread_count() > 1) return look_here();
  const int file = report_file();
  const auto pid = static_cast<pid_t>(syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L));
  if (pid == 0) {
    const bool leaks = report_into(file);
    syscall(SYS_exit_group, leaks ? 1L : 0L);
  }
  int status = 0;
  pid_t ended = 0;
  while (pid > 0 && (ended = waitpid(pid, &status, __WALL)) < 0 && errno == EINTR) {
  }
  Look look{Look::Result::cannot, {}};
  if (file != STDERR_FILENO) {
    look.report = content_of(file);
    close(file);
  }
  if (pid <= 0 || ended != pid || !WIFEXITED(status)) return look;
  const bool is_report = look.report.find("leak of ") != std::string::npos;
  if (WEXITSTATUS(status) == 0) look.result = Look::Result::clean;
  if (WEXITSTATUS(status) == 1 && is_report) look.result = Look::Result::leaks;
  return look;
}

// ---- what a report says

constexpr std::string_view heading = "irect leak of ";  // Direct, Indirect; maybe in colour

struct Paragraph {
  std::string_view text;  // with the empty line at its end
  std::string key;
  Amount amount;
};

// Calls take(Paragraph) for each, and other(text) for what stands between them.
template <typename Take, typename Other>
void read_report(std::string_view report, Take take, Other other) {
  while (!report.empty()) {
    const std::size_t end = report.find("\n\n");
    const std::string_view text =
        report.substr(0, end == std::string_view::npos ? report.size() : end + 2);
    report.remove_prefix(text.size());
    const std::size_t at = text.find(heading);
    if (at == std::string_view::npos) {
      other(text);
      continue;
    }
    Paragraph paragraph{text, std::string(text.substr(0, at)), {}};
    const std::string numbers(text.substr(at + heading.size(), 80));
    char* rest = nullptr;
    paragraph.amount.bytes = std::strtoull(numbers.c_str(), &rest, 10);
    if (std::strncmp(rest, " byte(s) in ", 12) == 0)
      paragraph.amount.objects = std::strtoull(rest + 12, nullptr, 10);
    const std::size_t line = text.find('\n', at);
    if (line != std::string_view::npos) paragraph.key += text.substr(line);
    take(paragraph);
  }
}

Paragraphs paragraphs_of(std::string_view report) {
  Paragraphs paragraphs;
  read_report(
      report, [&](const Paragraph& paragraph) { paragraphs[paragraph.key] = paragraph.amount; },
      [](std::string_view) {});
  return paragraphs;
}

// The report without what was leaked before; empty if that is all. Numbers are those of what is
// new.
std::string without(const Paragraphs& before, std::string_view report) {
  std::string left;
  std::string sum;
  bool any = false;
  bool all = true;
  read_report(
      report,
      [&](const Paragraph& paragraph) {
        const auto found = before.find(paragraph.key);
        if (found == before.end()) {
          left += paragraph.text;
          any = true;
          return;
        }
        all = false;
        const Amount& old = found->second;
        if (paragraph.amount.bytes <= old.bytes) return;
        const std::size_t begin = paragraph.text.find(heading) + heading.size();
        const std::uint64_t objects =
            paragraph.amount.objects - std::min(paragraph.amount.objects, old.objects);
        left += paragraph.text.substr(0, begin);
        left += std::to_string(paragraph.amount.bytes - old.bytes) + " byte(s) in " +
                std::to_string(objects) + " object(s) allocated from:";
        left += paragraph.text.substr(std::min(paragraph.text.find('\n'), paragraph.text.size()));
        any = true;
      },
      [&](std::string_view text) {
        const bool is_sum = text.find("SUMMARY: ") != std::string_view::npos;
        (is_sum ? sum : left) += text;
      });
  if (!any) return {};
  return all ? left + sum : left;
}

// From its first line that says something.
std::string without_rule(std::string report) {
  const std::size_t begin = report.find_first_not_of("=\n");
  if (begin == std::string::npos) return report;
  const std::size_t line = report.rfind('\n', begin);
  return line == std::string::npos ? report : report.substr(line + 1);
}

// ---- options

// The value that the options give to exitcode; `value` where they do not.
void read_exit_code(const char* options, bool& fails) {
  if (options == nullptr) return;
  for (const char* at = options; (at = std::strstr(at, "exitcode=")) != nullptr;) {
    const bool is_name = at == options || std::strchr(" ,:\n\t\r", at[-1]) != nullptr;
    at += std::strlen("exitcode=");
    if (is_name) fails = std::atoi(at) != 0;
  }
}

// In the order in which the runtimes read them.
bool leaks_fail() {
  bool fails = true;
  if (__asan_default_options != nullptr) read_exit_code(__asan_default_options(), fails);
  if (__lsan_default_options != nullptr) read_exit_code(__lsan_default_options(), fails);
  read_exit_code(std::getenv("ASAN_OPTIONS"), fails);
  read_exit_code(std::getenv("LSAN_OPTIONS"), fails);
  return fails;
}

Leaks leaks_of(const Look& look) {
  if (look.result != Look::Result::leaks) return {};
  const std::string report = without(state().not_ours, look.report);
  if (report.empty()) return {};
  return {without_rule(report), leaks_fail()};
}

// ---- the stack

#ifdef __GLIBC__
void (*the_function)(int);
int the_status;

void begin_again() {
  clear_dead_frames();
  the_function(the_status);
}

// This thread's stack is the one that parked, and has not been left upwards since.
bool is_below_park() {
  constexpr std::intptr_t deepest = std::intptr_t{1} << 30;
  const auto* const here = static_cast<char*>(__builtin_frame_address(0));
  return state().stack != nullptr && here < state().stack && state().stack - here < deepest &&
         getpid() == static_cast<pid_t>(syscall(SYS_gettid));
}
#endif

}  // namespace

void note_park() {
  if (!is_there()) return;
  State& state = leak_check::state();
  state.stack = static_cast<char*>(__builtin_frame_address(0));
  clear_dead_frames();
  const Look look = look_in_fork();
  state.can_look = look.result != Look::Result::cannot;
  state.at_park = paragraphs_of(look.report);
}

void leave_park() {
  if (is_there()) state().not_ours = state().at_park;
}

Leaks find() {
  if (!is_there() || !state().can_look) return {};
  clear_dead_frames();
  const Look look = look_in_fork();
  const Leaks leaks = leaks_of(look);
  if (!leaks.text.empty()) state().not_ours = paragraphs_of(look.report);
  return leaks;
}

Leaks find_at_end() {
  if (!is_there() || !state().can_look) return {};
  return leaks_of(look_here());
}

void from_park(void (*function)(int), int status) {
#ifdef __GLIBC__
  static ucontext_t context;
  if (is_there() && state().can_look && is_below_park() && getcontext(&context) == 0) {
    constexpr std::size_t size = 64 * 1024;
    the_function = function;
    the_status = status;
    context.uc_stack.ss_sp = state().stack - size;
    context.uc_stack.ss_size = size;
    context.uc_link = nullptr;
#ifdef __x86_64__
    for (const int kept : {REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15})
      context.uc_mcontext.gregs[kept] = 0;
#endif
    makecontext(&context, begin_again, 0);
    if (__asan_handle_no_return != nullptr) __asan_handle_no_return();
    setcontext(&context);
  }
#endif
  function(status);
  std::abort();
}

}  // namespace hearth::zygote::leak_check
