// Benchmark of a console: bulk over a real pty, from its master's side and from its slave's, in raw
// mode, and with line discipline and echo as they are when a terminal is opened. Both ends are
// processes. The best of several rounds, beside what is wanted of it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "tunnel/console_link.hpp"
#include "tunnel/console_settings.hpp"

namespace {

using namespace hearth;
using namespace hearth::tunnel;
using armour::Side;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr double wanted_ratio = 1.4;

struct Pty {
  UniqueFd master;
  UniqueFd slave;
};

[[noreturn]] void stop(const char* why) {
  std::fprintf(stderr, "console benchmark: %s\n", why);
  std::exit(1);
}

Pty open_pty(bool raw) {
  Pty pty;
  pty.master = UniqueFd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.master || grantpt(pty.master.get()) != 0 || unlockpt(pty.master.get()) != 0)
    stop("there is no pty to be had");
  pty.slave = UniqueFd(open(ptsname(pty.master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  if (tcgetattr(pty.slave.get(), &settings) != 0) stop("the pty cannot be used");
  if (raw) cfmakeraw(&settings);
  tcsetattr(pty.slave.get(), TCSANOW, &settings);
  return pty;
}

UniqueFd file_of(const std::string& content) {
  UniqueFd file(memfd_create("bulk", MFD_CLOEXEC));
  for (std::size_t at = 0; at < content.size();)
    at += static_cast<std::size_t>(
        std::max<ssize_t>(write(file.get(), content.data() + at, content.size() - at), 0));
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Sent {
  std::uint64_t bytes;   // written to the console
  std::uint64_t resent;  // frames that were written again
};

// One end; its channel 0 is `file`: read, or written.
class End : ConsoleLink::Owner {
 public:
  End(Side side, UniqueFd console, UniqueFd file, bool sends)
      : m_sends(sends),
        m_console(std::move(console)),
        m_link(StreamFd::own(duplicate(m_console.get())), StreamFd::own(duplicate(m_console.get())),
               options_of(side), *this) {
    if (sends)
      m_link.join(0, StreamFd::own(std::move(file)), {});
    else
      m_link.join(0, {}, StreamFd::own(std::move(file)));
    m_link.begin(steady_now());
  }
  // The process ends where something goes wrong.
  Sent run() {
    std::vector<pollfd> polls;
    while (!m_link.is_over()) {
      polls.clear();
      m_link.prepare(polls);
      poll(polls.data(), polls.size(), m_link.timeout(steady_now()));
      m_link.handle(steady_now());
      if (m_sends && !m_link.reads(0) && !std::exchange(m_ended, true)) m_link.end_stream();
    }
    if (!m_link.trouble().empty()) stop(m_link.trouble().c_str());
    return {m_link.wrote(), m_link.resent()};
  }

 private:
  static armour::Options options_of(Side side) { return *console_options(side); }
  void on_stream_end() override {
    if (!m_sends) m_link.end_stream();
  }

  bool m_sends;
  bool m_ended = false;
  UniqueFd m_console;
  ConsoleLink m_link;
};

bool has_content(const UniqueFd& file, const std::string& content) {
  std::string got(content.size() + 1, '\0');
  return pread(file.get(), got.data(), got.size(), 0) == static_cast<ssize_t>(content.size()) &&
         std::memcmp(got.data(), content.data(), content.size()) == 0;
}

// Of this process and the children it has waited for, in seconds.
double cpu_time() {
  double sum = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    getrusage(who, &used);
    for (const auto& time : {used.ru_utime, used.ru_stime})
      sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  }
  return sum;
}

struct Result {
  double seconds = 1e9;
  double cpu = 1e9;    // seconds, of both ends
  double ratio = 1e9;  // bytes written by both ends, for each byte of bulk
  std::uint64_t resent = 0;
};

// The parent, at the master, calls; the child answers at the slave.
Result transfer(bool raw, bool from_master, const std::string& content) {
  Pty pty = open_pty(raw);
  UniqueFd source = file_of(content);
  UniqueFd sink(memfd_create("received", MFD_CLOEXEC));
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) stop("there is no pipe to be had");
  const double cpu = cpu_time();
  const auto begin = Clock::now();
  const pid_t child = fork();
  if (child == 0) {
    pty.master.reset();
    End end(Side::answerer, std::move(pty.slave),
            from_master ? duplicate(sink.get()) : std::move(source), !from_master);
    const Sent sent = end.run();
    _exit(write(report[1], &sent, sizeof sent) == sizeof sent ? 0 : 1);
  }
  Sent sent{};
  {
    End end(Side::caller, std::move(pty.master),
            from_master ? std::move(source) : duplicate(sink.get()), from_master);
    sent = end.run();
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  Sent other{};
  int status = 0;
  close(report[1]);
  if (read(report[0], &other, sizeof other) != sizeof other) stop("the answerer failed");
  close(report[0]);
  waitpid(child, &status, 0);
  if (status != 0 || !has_content(sink, content)) stop("bytes were lost");
  return {took.count(), cpu_time() - cpu,
          static_cast<double>(sent.bytes + other.bytes) / static_cast<double>(content.size()),
          sent.resent + other.resent};
}

// What the pty does by itself: as many bytes as the armour would send, written and read. MB/s of
// bulk that this would be.
double floor_of(bool from_master, std::size_t size) {
  const auto wire = static_cast<std::size_t>(static_cast<double>(size) * 1.366);
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    Pty pty = open_pty(true);
    const UniqueFd& writer = from_master ? pty.master : pty.slave;
    const UniqueFd& reader = from_master ? pty.slave : pty.master;
    std::string buffer(std::size_t{16} * 1024, 'x');
    const auto begin = Clock::now();
    const pid_t child = fork();
    if (child == 0) {
      for (std::size_t left = wire; left > 0;) {
        const ssize_t sent = write(writer.get(), buffer.data(), std::min(left, buffer.size()));
        if (sent < 0) _exit(1);
        left -= static_cast<std::size_t>(sent);
      }
      _exit(0);
    }
    for (std::size_t got = 0; got < wire;) {
      const ssize_t size_read = read(reader.get(), buffer.data(), buffer.size());
      if (size_read <= 0) stop("the pty cannot be read");
      got += static_cast<std::size_t>(size_read);
    }
    const std::chrono::duration<double> took = Clock::now() - begin;
    waitpid(child, nullptr, 0);
    best = std::min(best, took.count());
  }
  return static_cast<double>(size) / best / 1e6;
}

// False: a bound was missed.
bool measure(const char* name, bool raw, bool from_master, std::size_t size, double wanted) {
  std::string content(size, '\0');
  unsigned state = 1;
  for (char& c : content) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  Result best;
  std::uint64_t most_resent = 0;
  for (int round = 0; round < rounds; ++round) {
    const Result one = transfer(raw, from_master, content);
    // The echo of an acknowledgement may tear a line, which is then sent again.
    best.ratio = std::min(best.ratio, one.ratio);
    most_resent = std::max(most_resent, one.resent);
    best.seconds = std::min(best.seconds, one.seconds);
    best.cpu = std::min(best.cpu, one.cpu);
  }
  const double speed = static_cast<double>(size) / best.seconds / 1e6;
  std::printf(
      "%-26s %5.1f MB/s (%4.1f x the %2.0f wanted), %.0f MB for a second of CPU, "
      "%6.4f bytes sent for each (%.1f allowed), at most %llu lines twice\n",
      name, speed, speed / wanted, wanted, static_cast<double>(size) / best.cpu / 1e6, best.ratio,
      wanted_ratio, static_cast<unsigned long long>(most_resent));
  std::fflush(stdout);
  return speed >= wanted && best.ratio <= wanted_ratio;
}

}  // namespace

int main() {
  constexpr std::size_t mega = 1'000'000;
  std::printf("the raw pty by itself        %6.1f MB/s to its slave, %.1f to its master\n",
              floor_of(true, 32 * mega), floor_of(false, 32 * mega));
  const bool kept[] = {
      measure("raw pty, to its slave", true, true, 32 * mega, 20),
      measure("raw pty, to its master", true, false, 32 * mega, 20),
      measure("cooked pty, to its slave", false, true, 8 * mega, 2),
      measure("cooked pty, to its master", false, false, 8 * mega, 2),
  };
  return std::ranges::all_of(kept, std::identity{}) ? 0 : 1;
}
