#include "zygote/coverage.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zygote/coverage_objects.hpp"

namespace hearth::zygote::coverage {
namespace {

// ---- counters

constexpr char unseen = '\xff';  // Merge::any_zero

std::size_t size_of(const Object& object) {
  std::size_t size = 0;
  for (const Counters& counters : object.counters) size += (counters.size + 7) & ~std::size_t{7};
  return size;
}

// What is in a bank has the order of the object's counters, each at a multiple of 8; bytes are
// there inverted, so that 0 is nothing seen for all kinds. Words are read and written only where
// there is something to add: untouched memory stays untouched.

// Counters become those of a process that has run nothing; what they were is added to the bank.
void pour(const Object& object, char* bank) {
  for (const Counters& counters : object.counters) {
    if (counters.merge == Merge::sum) {
      auto* const from = reinterpret_cast<std::uint64_t*>(counters.begin);
      auto* const to = reinterpret_cast<std::uint64_t*>(bank);
      for (std::size_t i = 0; i < counters.size / sizeof *from; ++i) {
        const std::uint64_t count = from[i];
        if (count == 0) continue;
        from[i] = 0;
        to[i] += count;
      }
    } else {
      const char empty = counters.merge == Merge::any_zero ? unseen : '\0';
      for (std::size_t i = 0; i < counters.size; ++i) {
        if (counters.begin[i] == empty) continue;
        bank[i] = static_cast<char>(bank[i] | (counters.begin[i] ^ empty));
        counters.begin[i] = empty;
      }
    }
    bank += (counters.size + 7) & ~std::size_t{7};
  }
}

// The bank is added to the counters.
void pour_back(const Object& object, const char* bank) {
  for (const Counters& counters : object.counters) {
    if (counters.merge == Merge::sum) {
      auto* const to = reinterpret_cast<std::uint64_t*>(counters.begin);
      const auto* const from = reinterpret_cast<const std::uint64_t*>(bank);
      for (std::size_t i = 0; i < counters.size / sizeof *from; ++i) {
        if (from[i] != 0) to[i] += from[i];
      }
    } else {
      const char empty = counters.merge == Merge::any_zero ? unseen : '\0';
      for (std::size_t i = 0; i < counters.size; ++i) {
        if (bank[i] != 0)
          counters.begin[i] = static_cast<char>(((counters.begin[i] ^ empty) | bank[i]) ^ empty);
      }
    }
    bank += (counters.size + 7) & ~std::size_t{7};
  }
}

void reset(const Object& object) {
  for (const Counters& counters : object.counters) {
    const char empty = counters.merge == Merge::any_zero ? unseen : '\0';
    for (std::size_t i = 0; i < counters.size; ++i) {
      if (counters.begin[i] != empty) counters.begin[i] = empty;
    }
  }
}

// One bank to another.
void add(const Object& object, char* to, const char* from) {
  for (const Counters& counters : object.counters) {
    const std::size_t size = (counters.size + 7) & ~std::size_t{7};
    for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
      std::uint64_t more = 0;
      std::memcpy(&more, from + i, sizeof more);
      if (more == 0) continue;
      std::uint64_t sum = 0;
      std::memcpy(&sum, to + i, sizeof sum);
      sum = counters.merge == Merge::sum ? sum + more : sum | more;
      std::memcpy(to + i, &sum, sizeof sum);
    }
    to += size;
    from += size;
  }
}

// The counters lie in a file that is mapped, and that every fork would count in at the same time.
// This process, and what it forks, gets pages of its own.
void map_anew(const Object& object) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (const Counters& counters : object.counters) {
    const auto begin = reinterpret_cast<std::uintptr_t>(counters.begin) & ~(page - 1);
    const auto end = reinterpret_cast<std::uintptr_t>(counters.begin) + counters.size;
    mmap(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE,
         MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  reset(object);
}

// Of another process, which has the object at the same place. False: it has ended, or may not be
// read.
bool read_from(pid_t pid, const Object& object, char* bank) {
  constexpr std::size_t at_a_time = 512;
  std::vector<iovec> ours;
  std::vector<iovec> theirs;
  ssize_t wanted = 0;
  const auto read = [&] {
    const ssize_t size =
        process_vm_readv(pid, ours.data(), ours.size(), theirs.data(), theirs.size(), 0);
    const bool whole = size == wanted;
    ours.clear();
    theirs.clear();
    wanted = 0;
    return whole;
  };
  char* to = bank;
  for (const Counters& counters : object.counters) {
    ours.push_back({to, counters.size});
    theirs.push_back({counters.begin, counters.size});
    wanted += static_cast<ssize_t>(counters.size);
    to += (counters.size + 7) & ~std::size_t{7};
    if (ours.size() == at_a_time && !read()) return false;
  }
  return ours.empty() || read();
}

// `read_from` gives bytes as they are in counters; in a bank they are inverted.
void invert_bytes(const Object& object, char* bank) {
  for (const Counters& counters : object.counters) {
    if (counters.merge == Merge::any_zero) {
      for (std::size_t i = 0; i < counters.size; ++i) bank[i] = static_cast<char>(bank[i] ^ unseen);
    }
    bank += (counters.size + 7) & ~std::size_t{7};
  }
}

// ---- accounts

// Zeroed memory. It takes pages as they are written.
char* map_memory(std::size_t size, int sharing) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

// In front of the banks of an account.
struct AccountHead {
  bool handed_over;
  char unused[63];
};

struct Account {
  char* memory = nullptr;
  std::vector<char> read;  // its counters before the last signal, laid out like its banks
};

struct KnownObject {
  Object object;
  std::size_t offset = 0;   // of its bank in an account
  char* bank = nullptr;     // null: in a process that runs tests in the place of forks
  bool is_parents = false;  // its bank is in this process's own account
  bool is_loaded = true;    // as of the last look
};

// LLVM's runtime empties its file when it starts, unless this says that a process before it has.
// What it says is ours: spec/worker-channel.md, [WC-3.6].
constexpr char llvm_begun_variable[] = "__LLVM_PROFILE_RT_INIT_ONCE";
constexpr std::string_view adds = "adds";
constexpr std::string_view anew = "anew";

enum class Role { none, warm, fork, in_place };

struct State {
  Role role = Role::none;
  pid_t owner = 0;
  std::vector<Place> seen;              // also what is not instrumented
  unsigned long long times_loaded = 0;  // when that was looked at
  std::vector<KnownObject> objects;
  std::string complaint;  // for the end of the process that writes
  std::size_t account_size = 0;
  bool adds = false;     // to what processes before have counted
  bool is_anew = false;  // its files are still those of a run before
  bool has_forked = false;
  char* account = nullptr;  // this process's own, from its parent
  char* next = nullptr;     // of the fork that is being made
  std::map<pid_t, Account> accounts;
  char* stack = nullptr;  // for signal handlers
};

State& state() {
  static State* const the_state = new State;  // outlives static destruction
  return *the_state;
}

AccountHead& head_of(char* account) {
  return *reinterpret_cast<AccountHead*>(account);
}

void mark_loaded(const Place& place, void*) {
  for (KnownObject& known : state().objects) {
    if (known.object.place == place) known.is_loaded = true;
  }
}

void look_what_is_loaded() {
  for (KnownObject& known : state().objects) known.is_loaded = false;
  for_loaded(mark_loaded, nullptr);
}

// Objects that were not there at the last look. They have no bank. Returns how many are older.
std::size_t find_more() {
  State& all = state();
  const std::size_t before = all.objects.size();
  const unsigned long long times = times_loaded();
  if (times == all.times_loaded) return before;
  all.times_loaded = times;
  for (Object& object : find_objects(all.seen, all.complaint))
    all.objects.push_back({std::move(object)});
  return before;
}

// What a fork has counted, as far as is known of it, becomes this process's.
void settle(const Account& account) {
  State& all = state();
  const bool use_read = !account.read.empty() && !head_of(account.memory).handed_over;
  for (const KnownObject& known : all.objects) {
    if (known.bank == nullptr) continue;
    add(known.object, known.bank, account.memory + known.offset);
    if (use_read) add(known.object, known.bank, account.read.data() + known.offset);
  }
  munmap(account.memory, all.account_size);
}

// ---- files, of processes that have nobody to hand over to

std::string_view name_pattern_of(const Object& object) {
  const char* const wanted = getenv("LLVM_PROFILE_FILE");
  if (wanted != nullptr && *wanted != '\0') return wanted;
  return object.llvm_built_in_name == nullptr ? "" : object.llvm_built_in_name;
}

// Whether each process has a file of its own, or the runtime merges itself.
bool is_left_to_runtime(std::string_view pattern) {
  for (std::size_t at = pattern.find('%'); at < pattern.size(); at = pattern.find('%', at)) {
    ++at;
    while (at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9') ++at;
    if (at < pattern.size() && (pattern[at] == 'p' || pattern[at] == 'm' || pattern[at] == 'c'))
      return true;
    ++at;
  }
  return false;
}

using Objects = std::vector<const Object*>;

// Whose profile the bytes begin with; null: none of theirs.
const Object* owner_of(std::string_view profile, const Objects& objects) {
  for (const Object* const object : objects) {
    if (object->llvm_size == nullptr || object->llvm_compatible == nullptr ||
        object->llvm_merge == nullptr || object->llvm_size() > profile.size()) {
      continue;
    }
    if (object->llvm_compatible(profile.data(), object->llvm_size()) == 0) return object;
  }
  return nullptr;
}

// Adds what is in the file to the objects' counters. False: it is not, or not only, theirs, and
// remains to be appended to.
bool take(std::string_view file, const Objects& objects) {
  std::vector<std::pair<const Object*, const char*>> profiles;
  while (!file.empty()) {
    const Object* const owner = owner_of(file, objects);
    if (owner == nullptr) return false;
    profiles.emplace_back(owner, file.data());
    file.remove_prefix(owner->llvm_size());
  }
  for (const auto& [owner, profile] : profiles) owner->llvm_merge(profile, owner->llvm_size());
  return true;
}

// Of a file that all processes write, and the runtime neither locks nor merges: what it has is put
// into the counters, and it is emptied. The lock is needed until they are written. -1: none.
int lock_and_take(const char* name, const Objects& objects) {
  const int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return -1;  // the runtime says why
  while (flock(file, LOCK_EX) != 0 && errno == EINTR) {
  }
  struct stat status {};
  if (fstat(file, &status) != 0 || status.st_size == 0) return file;
  const auto size = static_cast<std::size_t>(status.st_size);
  // Writable: LLVM's functions do not promise to leave it as it is.
  void* const mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  if (mapped == MAP_FAILED) return file;
  if (take({static_cast<const char*>(mapped), size}, objects)) [[maybe_unused]]
    const int result = ftruncate(file, 0);
  munmap(mapped, size);
  return file;
}

// The locks of the files that these objects are written to.
std::vector<int> lock_files(const Objects& objects) {
  std::vector<int> locks;
  std::vector<std::string> names;
  for (const Object* const object : objects) {
    if (object->llvm_write == nullptr || object->llvm_file_name == nullptr) continue;
    if (is_left_to_runtime(name_pattern_of(*object))) continue;
    const char* const name = object->llvm_file_name();
    if (name == nullptr || *name == '\0') continue;
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    names.emplace_back(name);
    if (const int lock = lock_and_take(name, objects); lock >= 0) locks.push_back(lock);
  }
  return locks;
}

// As the runtime does when a process starts.
void empty_files() {
  for (const KnownObject& known : state().objects) {
    const Object& object = known.object;
    if (object.llvm_write == nullptr || object.llvm_file_name == nullptr) continue;
    if (is_left_to_runtime(name_pattern_of(object))) continue;
    const char* const name = object.llvm_file_name();
    if (name != nullptr && *name != '\0') [[maybe_unused]]
      const int result = truncate(name, 0);
  }
}

void write_files(const Objects& objects) {
  const std::vector<int> locks = lock_files(objects);
  for (const Object* const object : objects) {
    if (object->gcov_dump != nullptr) object->gcov_dump();
    if (object->llvm_write != nullptr) object->llvm_write();
  }
  for (const int lock : locks) close(lock);
}

// ---- crashes

constexpr int fatal_signals[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS,
                                 SIGFPE, SIGSEGV, SIGSYS,  SIGTERM};
constexpr std::size_t handler_stack = 256 * 1024;
struct sigaction before[std::size(fatal_signals)];
volatile sig_atomic_t dying_of = 0;

void set_default(int signal) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
}

// The runtimes' own functions wait for a lock that the crash has left locked.
void stuck(int) {
  set_default(dying_of);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, dying_of);
  raise(dying_of);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
}

void write_files_or_die(int signal) {
  constexpr unsigned patience = 5;  // seconds
  dying_of = signal;
  struct sigaction give_up {};
  give_up.sa_handler = stuck;
  sigaction(SIGALRM, &give_up, nullptr);
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigprocmask(SIG_UNBLOCK, &alarms, nullptr);
  alarm(patience);
  hand_over();
  alarm(0);
}

// A fault comes again when its handler returns, and ends the process as if nobody had looked; other
// signals have to be sent again.
bool comes_again(int signal, const siginfo_t& info) {
  return info.si_code > 0 && signal != SIGTRAP && signal != SIGSYS && signal != SIGABRT;
}

void at_fatal_signal(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const int* const known = std::find(std::begin(fatal_signals), std::end(fatal_signals), signal);
  const struct sigaction& due = before[known - std::begin(fatal_signals)];
  const bool is_default = (due.sa_flags & SA_SIGINFO) == 0 && due.sa_handler == SIG_DFL;
  if (getpid() == state().owner) {
    if (state().role == Role::in_place) {
      write_files_or_die(signal);
    } else {
      look_what_is_loaded();
      for (const KnownObject& object : state().objects) {
        if (object.is_loaded && object.is_parents) pour(object.object, object.bank);
      }
      if (is_default) head_of(state().account).handed_over = true;
    }
  }
  errno = error;
  if ((due.sa_flags & SA_SIGINFO) != 0) return due.sa_sigaction(signal, info, context);
  if (!is_default) return due.sa_handler(signal);
  set_default(signal);
  if (!comes_again(signal, *info)) raise(signal);
}

// In front of what the program has for these signals, which then does what it would have done.
// Where files have to be written, only where the process is to die anyway.
void watch_signals() {
  stack_t stack{};
  if (state().stack != nullptr && sigaltstack(nullptr, &stack) == 0 &&
      (stack.ss_flags & SS_DISABLE) != 0) {
    stack = {};
    stack.ss_sp = state().stack;
    stack.ss_size = handler_stack;
    sigaltstack(&stack, nullptr);
  }
  for (std::size_t i = 0; i < std::size(fatal_signals); ++i) {
    const int signal = fatal_signals[i];
    const bool in_place = state().role == Role::in_place;
    if (signal == SIGTERM && !in_place) continue;  // the parent reads first
    struct sigaction& due = before[i];
    if (sigaction(signal, nullptr, &due) != 0) continue;
    const bool has_function = (due.sa_flags & SA_SIGINFO) != 0 ||
                              (due.sa_handler != SIG_DFL && due.sa_handler != SIG_IGN);
    if (has_function && due.sa_sigaction == at_fatal_signal) continue;
    if (!has_function && due.sa_handler == SIG_IGN) continue;
    if (has_function && in_place) continue;
    struct sigaction ours = due;
    ours.sa_sigaction = at_fatal_signal;
    ours.sa_flags = has_function ? due.sa_flags | SA_SIGINFO : SA_SIGINFO | SA_ONSTACK;
    if (!has_function) sigfillset(&ours.sa_mask);
    sigaction(signal, &ours, nullptr);
  }
}

}  // namespace

// ---- what the core calls

void parked() {
  State& all = state();
  look_what_is_loaded();
  all.objects.erase(std::remove_if(all.objects.begin(), all.objects.end(),
                                   [](const KnownObject& known) { return !known.is_loaded; }),
                    all.objects.end());
  find_more();
  const bool has_llvm =
      std::any_of(all.objects.begin(), all.objects.end(),
                  [](const KnownObject& known) { return known.object.llvm_write != nullptr; });
  if (const char* const begun = getenv(llvm_begun_variable); begun != nullptr) {
    all.adds = all.adds || begun == adds;
    all.is_anew = all.role == Role::none && begun == anew;
  }
  if (!has_llvm) unsetenv(llvm_begun_variable);
  if (all.role == Role::none) all.role = Role::warm;
  all.owner = getpid();
  if (all.objects.empty()) return;
  std::size_t offset = sizeof(AccountHead);
  for (KnownObject& known : all.objects) {
    const std::size_t size = size_of(known.object);
    known.offset = offset;
    offset += size;
    if (known.bank == nullptr && size > 0) known.bank = map_memory(size, MAP_PRIVATE);
    if (known.bank != nullptr && !known.object.is_mapped_file) pour(known.object, known.bank);
  }
  all.account_size = offset;
  if (all.stack == nullptr) all.stack = map_memory(handler_stack, MAP_PRIVATE);
}

bool is_counted() {
  return !state().objects.empty();
}

void before_fork() {
  State& all = state();
  all.has_forked = true;
  if (std::exchange(all.is_anew, false)) empty_files();
  if (!all.objects.empty()) all.next = map_memory(all.account_size, MAP_SHARED);
}

void forked(pid_t pid) {
  State& all = state();
  if (all.next == nullptr) return;
  if (pid > 0) {
    madvise(all.next, all.account_size, MADV_DONTFORK);
    all.accounts[pid].memory = all.next;
  } else {
    munmap(all.next, all.account_size);
  }
  all.next = nullptr;
}

void become_fork() {
  State& all = state();
  all.role = Role::fork;
  all.owner = getpid();
  if (all.objects.empty()) return;
  all.account = all.next;
  all.next = nullptr;
  all.accounts.clear();
  for (KnownObject& known : all.objects) {
    if (known.object.is_mapped_file) {
      map_anew(known.object);
    } else {
      reset(known.object);
    }
    known.is_parents = all.account != nullptr && known.bank != nullptr;
    known.bank = known.is_parents ? all.account + known.offset : nullptr;
  }
  if (all.account != nullptr) watch_signals();
}

// What was read before stays, where this time nothing can be: the fork has ended, by the signal
// before.
void before_signal(pid_t pid) {
  State& all = state();
  const auto found = all.accounts.find(pid);
  if (found == all.accounts.end()) return;
  std::vector<char> read(all.account_size);
  bool any = false;
  for (const KnownObject& known : all.objects) {
    if (known.bank == nullptr) continue;
    char* const bank = read.data() + known.offset;
    if (!read_from(pid, known.object, bank)) continue;  // it may have been unloaded there
    invert_bytes(known.object, bank);
    any = true;
  }
  if (any) found->second.read.swap(read);
}

void reaped(pid_t pid) {
  State& all = state();
  const auto found = all.accounts.find(pid);
  if (found == all.accounts.end()) return;
  settle(found->second);
  all.accounts.erase(found);
}

void begin_in_place() {
  State& all = state();
  all.role = Role::in_place;
  all.owner = getpid();
  if (all.objects.empty()) return;
  for (KnownObject& known : all.objects) {
    known.bank = nullptr;
    if (!known.object.is_mapped_file) reset(known.object);
  }
  watch_signals();
}

// The locks stay until the process has ended, and its runtime has written.
void no_more_tests() {
  State& all = state();
  if (all.role == Role::none || all.owner != getpid()) return;
  for (const auto& [pid, account] : all.accounts) {
    before_signal(pid);  // it still runs, or has not been waited for
    settle(account);
  }
  all.accounts.clear();
  look_what_is_loaded();
  // It was listed, and no more: nothing has been run.
  const bool counts = all.role != Role::warm || all.has_forked || all.adds;
  Objects to_be_written;
  for (KnownObject& known : all.objects) {
    if (!known.is_loaded || known.is_parents) continue;
    if (!counts) {
      reset(known.object);
      // What tear-down counts is not to be written either.
      if (known.object.gcov_end != nullptr) known.object.gcov_end();
      if (known.object.llvm_set_written != nullptr) known.object.llvm_set_written(1);
      continue;
    }
    if (known.bank != nullptr) pour_back(known.object, known.bank);
    known.bank = nullptr;
    to_be_written.push_back(&known.object);
  }
  if (all.role != Role::warm || !counts) return;
  lock_files(to_be_written);
  std::fputs(all.complaint.c_str(), stderr);
}

// What an object writes in an exit handler that it registered after the park, it has written.
void hand_over() {
  State& all = state();
  if (all.role == Role::none || all.role == Role::warm || all.owner != getpid()) return;
  const std::size_t older = find_more();
  if (all.objects.empty()) return;
  look_what_is_loaded();
  Objects to_be_written;
  for (std::size_t i = 0; i < all.objects.size(); ++i) {
    const KnownObject& known = all.objects[i];
    if (!known.is_loaded) continue;
    if (known.is_parents) {
      pour(known.object, known.bank);
    } else if (known.object.has_destructor || (i < older && all.role == Role::in_place)) {
      to_be_written.push_back(&known.object);
    }
  }
  write_files(to_be_written);
  if (all.role == Role::in_place) std::fputs(all.complaint.c_str(), stderr);
  if (all.account != nullptr) head_of(all.account).handed_over = true;
}

}  // namespace hearth::zygote::coverage
