#include "zygote/core.hpp"

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "process/children.hpp"
#include "zygote/coverage.hpp"
#include "zygote/exit_handlers.hpp"
#include "zygote/leak_check.hpp"
#include "zygote/mock_leaks.hpp"
#include "zygote/only.hpp"
#include "zygote/streams.hpp"

namespace hearth::zygote {
namespace {

constexpr char channel_variable[] = "HEARTH_CHANNEL";
constexpr std::uint32_t channel_version = 1;

// The server has started this program, or what started it, but cannot be spoken to. To go on would
// be to run all tests by hand.
[[noreturn]] void refuse_closed(int channel) {
  std::fprintf(stderr,
               "hearth: descriptor %d, which leads to the Hearth server, was closed before this "
               "program was started. A wrapper must leave it open\n",
               channel);
  _exit(1);
}

// The name of the file that has the address in its memory.
std::string file_of(const void* address) {
  struct Search {
    std::uintptr_t address;
    std::string name;
  } search{reinterpret_cast<std::uintptr_t>(address), "?"};
  dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* data) {
        auto& wanted = *static_cast<Search*>(data);
        for (int i = 0; i < module->dlpi_phnum; ++i) {
          const auto& part = module->dlpi_phdr[i];
          const std::uintptr_t begin = module->dlpi_addr + part.p_vaddr;
          if (part.p_type != PT_LOAD || wanted.address < begin ||
              wanted.address >= begin + part.p_memsz)
            continue;
          wanted.name = module->dlpi_name[0] == '\0' ? program_invocation_name : module->dlpi_name;
          return 1;
        }
        return 0;
      },
      &search);
  return search.name;
}

// Each has a list of tests of its own, and keeps the failures that happen in its file.
[[noreturn]] void refuse_two(std::string_view framework, const void* one, const void* other) {
  const std::string name(framework);
  std::fprintf(stderr,
               "hearth: this program has two %ss, one in %s and one in %s: each has tests and "
               "failures that the other does not know of. Link one: as a shared library, or into "
               "the executable only, for all to use\n",
               name.c_str(), file_of(one).c_str(), file_of(other).c_str());
  _exit(1);
}

// The channel that the server left in the environment, or -1. A descriptor that is anything but
// such a socket is somebody else's.
int inherited_channel() {
  const char* const variable = getenv(channel_variable);
  if (variable == nullptr) return -1;
  const int channel = std::atoi(variable);
  unsetenv(channel_variable);
  if (channel > 2 && fcntl(channel, F_GETFD) < 0 && getenv(process::marker_variable) != nullptr)
    refuse_closed(channel);
  int type = 0;
  int domain = 0;
  socklen_t length = sizeof type;
  if (channel <= 2 || getsockopt(channel, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return -1;
  length = sizeof domain;
  if (getsockopt(channel, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) return -1;
  if (type != SOCK_SEQPACKET || domain != AF_UNIX) return -1;
  fcntl(channel, F_SETFD, FD_CLOEXEC);
  return channel;
}

// The mark becomes the last variable: all others are where they are by hand.
char* inherited_marker() {
  char* const digits = getenv(process::marker_variable);
  if (digits == nullptr || std::strlen(digits) != process::marker_digits) return nullptr;
  char** at = environ;
  while (*at + std::strlen(process::marker_variable) + 1 != digits) ++at;
  char* const variable = *at;
  for (; at[1] != nullptr; ++at) at[0] = at[1];
  *at = variable;
  return digits;
}

// No process is told, or spared the telling: SA_NOCLDWAIT counts with the default too.
bool is_standard(const struct sigaction& action) {
  return action.sa_handler == SIG_DFL && action.sa_flags == 0;
}

// What fits into a packet several times over, however long the program makes its names.
TestDescription describe_within_bounds(const Tests& tests, std::size_t test) {
  constexpr std::size_t longest = 8 * 1024;
  TestDescription description = tests.describe(test);
  description.name = description.name.substr(0, longest);
  description.suite = description.suite.substr(0, longest);
  description.file = description.file.substr(0, longest);
  return description;
}

}  // namespace

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_nsec);
}

Core& Core::instance() {
  return only<Core>("core");
}

Core::Core()
    : m_channel(inherited_channel()),
      m_pid(getpid()),
      m_marker(m_channel >= 0 ? inherited_marker() : nullptr) {
  if (m_channel >= 0) m_output.take_standard();
}

bool Core::send(message::from_zygote::Tag tag, std::string_view encoded) const {
  std::string packet;
  protozero::pbf_writer(packet).add_message(tag, encoded.data(), encoded.size());
  return zygote::send(m_channel, packet);
}

// The server is gone, or has no more use for us: nothing to tear down for.
void Core::end_with_server() const {
  process::kill_all_children(m_children_list);
  _exit(0);
}

bool Core::hello(std::string_view framework, std::string_view version, bool shares,
                 const void* registry) {
  for (const Adapter& other : m_adapters) {
    if (other.registry == registry) return false;
    if (framework == "GoogleTest" && other.framework == framework)
      refuse_two(framework, other.registry, registry);
  }
  m_adapters.push_back({std::string(framework), registry});
  if (m_adapters.size() > 1) return true;
  std::string encoded;
  protozero::pbf_writer hello(encoded);
  hello.add_uint32(1, channel_version);
  hello.add_uint32(2, channel_version);
  hello.add_uint64(3, static_cast<std::uint64_t>(m_pid));
  message::add(hello, 4, framework);
  message::add(hello, 5, version);
  if (shares) hello.add_bool(6, true);
  if (!send(message::from_zygote::hello, encoded)) end_with_server();
  return true;
}

void Core::await_welcome() {
  const Received received = receive(m_channel);
  if (received.kind == Received::Kind::closed) end_with_server();
  protozero::pbf_reader reader(received.bytes.data(), received.bytes.size());
  while (reader.next()) {
    if (reader.tag() == message::to_zygote::welcome) {
      m_describe = message::read_varint(reader.get_message(), 2) != 0;
    } else {
      reader.skip();
    }
  }
}

void Core::describe(const Tests& tests) const {
  constexpr std::size_t enough = max_packet / 4;  // one more description fits always
  std::string list;
  const auto flush = [&] {
    if (!send(message::from_zygote::tests, list)) end_with_server();
    list.clear();
  };
  for (std::size_t i = 0; i < tests.count(); ++i) {
    const TestDescription test = describe_within_bounds(tests, i);
    protozero::pbf_writer writer(list);
    message::write_test(writer, test);
    if (list.size() > enough) flush();
  }
  if (!list.empty()) flush();
}

void Core::ready(const SetUp& set_up) {
  const unsigned threads = thread_count();
  std::string encoded;
  protozero::pbf_writer ready(encoded);
  if (threads > 1) {
    ready.add_enum(1, 1);
    ready.add_string(2, std::to_string(threads) +
                            " threads were running once it had initialised, and a fork copies one");
  } else if (!why_not_to_fork().empty()) {
    ready.add_enum(1, 1);
    message::add(ready, 2, std::string_view(why_not_to_fork()).substr(0, max_packet / 4));
  }
  if (set_up.failed || set_up.skipped) {
    message::add(ready, 3,
                 set_up.text.empty() ? "set-up failed" : set_up.text.substr(0, max_packet / 2));
  }
  if (set_up.skipped && !set_up.failed) ready.add_bool(4, true);
  if (coverage::is_counted()) ready.add_bool(5, true);
  if (!send(message::from_zygote::ready, encoded)) end_with_server();
}

// From here on SIGCHLD comes through a descriptor, and the program's own handler, which the
// children get back, does not reap in our place. The process's name says what it is while it waits.
void Core::take_signals() {
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, &m_program_mask);
  sigaction(SIGCHLD, nullptr, &m_program_sigchld);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  if (!is_standard(m_program_sigchld)) sigaction(SIGCHLD, &standard, nullptr);
  m_signals_taken = true;
  prctl(PR_GET_NAME, m_program_name);
  char name[sizeof m_program_name];
  std::snprintf(name, sizeof name, "hearth:%.8s", m_program_name);
  prctl(PR_SET_NAME, name);
  m_signals = move_up(signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK), m_channel + 1);
  m_children_list = move_up(process::open_children_list(), m_channel + 1);
}

void Core::give_signals_back() const {
  if (!m_signals_taken) return;
  if (!is_standard(m_program_sigchld)) sigaction(SIGCHLD, &m_program_sigchld, nullptr);
  sigprocmask(SIG_SETMASK, &m_program_mask, nullptr);
  prctl(PR_SET_NAME, m_program_name);
}

// A fork that set-up made and that came back from it, or main() runs the tests in one: this is not
// its run.
void Core::end_elsewhere() const {
  std::string encoded;
  protozero::pbf_writer(encoded).add_uint64(1, static_cast<std::uint64_t>(getpid()));
  send(message::from_zygote::elsewhere, encoded);
  _exit(0);
}

// Of a second framework, or of the same one a second time, which come when the first is done.
Assignment Core::leave_out(const Tests& tests) {
  constexpr std::size_t most_named = 20;
  if (tests.count() > 0) {
    m_closing +=
        "The program runs the tests of more than one framework. Hearth serves those that come "
        "first: put the others into a program of their own. Not served:\n";
  }
  for (std::size_t i = 0; i < tests.count() && i < most_named; ++i)
    m_closing += std::string(describe_within_bounds(tests, i).name) + '\n';
  if (tests.count() > most_named)
    m_closing += "and " + std::to_string(tests.count() - most_named) + " more\n";
  return {Task::finish, 0};
}

Assignment Core::park(const Tests& tests, const SetUp& set_up, bool is_suite) {
  if (getpid() != m_pid) end_elsewhere();
  if (!is_suite && m_tests != nullptr) return leave_out(tests);
  m_tests = &tests;
  if (!is_suite) {
    run_warm_up_hooks();
  }
  const Untouched untouched;
  if (!is_suite) {
    await_welcome();
    if (m_describe) describe(tests);
  }
  m_was_subreaper = process::is_subreaper();
  process::become_subreaper();
  take_signals();
  m_helpers = process::read_children(m_children_list);
  m_mark = process::marker_of(getpid());
  find_file_streams();
  flush_streams();
  m_output.find();
  coverage::parked();
  collapse_memory();
  mark_exit_handlers();
  mock_leaks::note_park();
  leak_check::note_park();
  ready(set_up);

  Assignment assignment{Task::finish, 0};
  for (;;) {
    pollfd sources[] = {{m_signals, POLLIN, 0}, {m_channel, POLLIN, 0}};
    if (poll(sources, 2, -1) < 0 && errno != EINTR) end_with_server();
    if (sources[0].revents != 0) reap();
    if (sources[1].revents == 0) continue;
    const Received received = receive(m_channel);
    if (received.kind == Received::Kind::closed) end_with_server();
    if (perform(received, assignment)) return assignment;
  }
}

bool Core::perform(const Received& received, Assignment& assignment) {
  protozero::pbf_reader reader(received.bytes.data(), received.bytes.size());
  while (reader.next()) {
    switch (reader.tag()) {
      case message::to_zygote::run_test:
        return run_test(message::read_run_test(reader.get_message()), received, assignment);
      case message::to_zygote::start_suite:
        return start_suite(message::read_run_test(reader.get_message()), received, assignment);
      case message::to_zygote::start_shared:
        return start_shared(message::read_run_test(reader.get_message()), received, assignment);
      case message::to_zygote::kill:
        kill(message::read_kill(reader.get_message()));
        break;
      case message::to_zygote::finish:
        if (message::read_varint(reader.get_message(), 1) != 0) end_with_server();
        reap();
        give_signals_back();
        coverage::no_more_tests();
        return true;
      default:
        reader.skip();
    }
  }
  close_all(received);
  return false;
}

std::size_t Core::find(std::uint32_t test, std::string_view name) const {
  if (test < m_tests->count() && describe_within_bounds(*m_tests, test).name == name) return test;
  for (std::size_t i = 0; i < m_tests->count(); ++i) {
    if (describe_within_bounds(*m_tests, i).name == name) return i;
  }
  return Assignment::none;
}

void Core::refuse(std::uint64_t execution, std::string_view why) const {
  std::string encoded;
  protozero::pbf_writer refused(encoded);
  refused.add_uint64(1, execution);
  message::add(refused, 2, why);
  send(message::from_zygote::refused, encoded);
}

void Core::closed(std::string_view failure) {
  m_closing += failure;
  std::string encoded;
  protozero::pbf_writer closed(encoded);
  message::add(closed, 1, std::string_view(m_closing).substr(0, max_packet / 2));
  m_closing.clear();
  send(message::from_zygote::closed, encoded);
}

bool served() noexcept {
  return Core::instance().served();
}

bool hello(std::string_view framework, std::string_view version, bool shares,
           const void* registry) {
  return Core::instance().hello(framework, version, shares, registry);
}

Assignment park(const Tests& tests, const SetUp& set_up) {
  return Core::instance().park(tests, set_up, false);
}

Assignment park_suite(const Tests& tests, const SetUp& set_up) {
  return Core::instance().park(tests, set_up, true);
}

Assignment next() {
  return Core::instance().next();
}

void suite_closed(std::string_view failure) {
  Core::instance().suite_closed(failure);
}

void leave(std::string_view failure) {
  Core::instance().closed(failure);
  report::leaving();
  run_exit_handlers();
}

void closed(std::string_view failure) {
  Core::instance().closed(failure);
}

}  // namespace hearth::zygote
