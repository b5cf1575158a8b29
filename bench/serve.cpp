// The server beside the machine's own floor, in one run: isolated throughput, latency of one test,
// time to Hello, memory. What counts are the ratios; the goals are those of docs/performance.md.
//
//   serve_bench HEARTH FORK_FLOOR ONE_TEST TEN_THOUSAND_TESTS MANY_TESTS
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "protocol/client_session.hpp"

namespace {

using namespace hearth::protocol;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr int latency_samples = 500;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "serve_bench: %s\n", what.c_str());
  std::exit(1);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A program with its stdin and stdout.
struct Piped {
  pid_t pid;
  int in;
  int out;

  explicit Piped(std::vector<std::string> command) {
    int to[2];
    int from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) fail("pipe");
    pid = fork();
    if (pid == 0) {
      dup2(to[0], 0);
      dup2(from[1], 1);
      std::vector<char*> arguments;
      for (std::string& word : command) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    in = to[1];
    out = from[0];
  }
  Piped(const Piped&) = delete;
  Piped& operator=(const Piped&) = delete;
  ~Piped() {
    close(in);
    close(out);
    waitpid(pid, nullptr, 0);
  }
};

class Client {
 public:
  explicit Client(std::vector<std::string> command) : m_server(std::move(command)) {
    flush();
    while (!m_ready) step();
  }

  std::vector<std::string> list() {
    const std::string nonce = m_session.list(std::nullopt);
    wait_for(nonce);
    return m_ids;
  }
  // Tests that passed.
  std::size_t run(std::optional<std::span<const std::string>> tests) {
    m_passed = 0;
    wait_for(m_session.run(tests));
    return m_passed;
  }
  void goodbye() {
    m_session.goodbye();
    flush();
  }
  [[nodiscard]] pid_t pid() const { return m_server.pid; }

 private:
  void wait_for(const std::string& nonce) {
    flush();
    while (m_done != nonce) step();
  }
  void flush() {
    while (!m_session.output().empty()) {
      const ssize_t written =
          write(m_server.in, m_session.output().data(), m_session.output().size());
      if (written <= 0) fail("the server does not read");
      m_session.consume(static_cast<std::size_t>(written));
    }
  }
  void step() {
    static std::vector<std::byte> buffer(256 * 1024);
    const ssize_t got = read(m_server.out, buffer.data(), buffer.size());
    if (got <= 0) fail("the server ended");
    m_session.receive({buffer.data(), static_cast<std::size_t>(got)});
    while (auto event = m_session.next()) take(*event);
  }
  void take(const ClientEvent& event) {
    if (std::holds_alternative<ServerReady>(event)) m_ready = true;
    if (const auto* done = std::get_if<CommandDone>(&event)) m_done = done->nonce;
    if (const auto* error = std::get_if<ServerError>(&event)) fail(error->text);
    if (const auto* result = std::get_if<ResultPacket>(&event)) {
      if (result->packet->status == TestStatus::exists)
        m_ids.emplace_back(*result->packet->test_id);
      if (result->packet->status == TestStatus::success) ++m_passed;
      if (result->packet->status == TestStatus::fail) fail("a test failed");
    }
  }

  Piped m_server;
  ClientSession m_session;
  bool m_ready = false;
  std::string m_done;
  std::vector<std::string> m_ids;
  std::size_t m_passed = 0;
};

double fork_floor(const std::string& program, unsigned jobs) {
  const std::string command = program + " forks 10000 " + std::to_string(jobs);
  FILE* const pipe = popen(command.c_str(), "r");
  double rate = 0;
  if (pipe == nullptr || std::fscanf(pipe, "%lf", &rate) != 1) fail(command);
  pclose(pipe);
  return rate;
}

double percentile(std::vector<double> samples, double fraction) {
  std::sort(samples.begin(), samples.end());
  return samples[static_cast<std::size_t>(fraction * static_cast<double>(samples.size() - 1))];
}

std::vector<double> request_floor(const std::string& program) {
  Piped floor({program, "requests"});
  std::vector<double> samples;
  for (int i = 0; i < latency_samples; ++i) {
    const auto begin = Clock::now();
    char byte = 'x';
    if (write(floor.in, &byte, 1) != 1 || read(floor.out, &byte, 1) != 1) fail("fork_floor ended");
    samples.push_back(seconds_since(begin));
  }
  return samples;
}

std::vector<double> one_test_latency(Client& client, const std::string& id) {
  std::vector<double> samples;
  for (int i = 0; i < latency_samples; ++i) {
    const auto begin = Clock::now();
    if (client.run(std::span(&id, 1)) != 1) fail("the test did not pass");
    samples.push_back(seconds_since(begin));
  }
  return samples;
}

// Resident memory of the server and of its keeper, in MB.
double server_memory(pid_t keeper) {
  double pages = 0;
  const auto add = [&](const std::string& pid) {
    double total = 0;
    double resident = 0;
    std::ifstream("/proc/" + pid + "/statm") >> total >> resident;
    pages += resident;
  };
  add(std::to_string(keeper));
  std::ifstream children("/proc/" + std::to_string(keeper) + "/task/" + std::to_string(keeper) +
                         "/children");
  for (std::string pid; children >> pid;) add(pid);
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

void measure_throughput(const std::string& hearth, const std::string& floor,
                        const std::string& program) {
  std::printf(
      "isolated throughput, 10,000 trivial tests (goal: 0.9 of the floor; required: 0.2)\n");
  for (const unsigned jobs : {1u, 2u, 8u}) {
    Client client({hearth, "serve", "--jobs", std::to_string(jobs), program});
    static_cast<void>(client.list());
    std::vector<double> ratios;
    double tests = 0;
    double forks = 0;
    for (int round = 0; round < rounds; ++round) {
      const double floor_rate = fork_floor(floor, jobs);
      const auto begin = Clock::now();
      const double passed = static_cast<double>(client.run(std::nullopt));
      const double rate = passed / seconds_since(begin);
      ratios.push_back(rate / floor_rate);
      tests = std::max(tests, rate);
      forks = std::max(forks, floor_rate);
    }
    std::printf("  %u at a time: %8.0f tests/s, floor %8.0f forks/s, median ratio %.2f\n", jobs,
                tests, forks, percentile(ratios, 0.5));
    client.goodbye();
  }
}

void measure_latency(const std::string& hearth, const std::string& floor,
                     const std::string& program) {
  Client client({hearth, "serve", program});
  const std::string id = client.list().front();
  static_cast<void>(one_test_latency(client, id));
  const std::vector<double> base = request_floor(floor);
  const std::vector<double> ours = one_test_latency(client, id);
  std::printf("latency of a one-test Run in %s (goal: 0.5, p99 1.5; required: 3)\n",
              program.substr(program.rfind('/') + 1).c_str());
  for (const double fraction : {0.5, 0.99}) {
    std::printf(
        "  p%.0f: %7.0f us, floor (a fork per request) %7.0f us, ratio to the floor's p50 %.2f\n",
        fraction * 100, percentile(ours, fraction) * 1e6, percentile(base, fraction) * 1e6,
        percentile(ours, fraction) / percentile(base, 0.5));
  }
  client.goodbye();
}

void measure_start_and_memory(const std::string& hearth, const std::string& program) {
  const auto begin = Clock::now();
  Client client({hearth, "serve", program});
  std::printf("start to Hello: %.1f ms (goal: 5)\n", seconds_since(begin) * 1e3);
  const std::vector<std::string> ids = client.list();
  const double listed = server_memory(client.pid());
  std::printf("server memory: %.1f MB with %zu tests listed (goal: 50 with them run)\n", listed,
              ids.size());
  for (int round = 0; round < 2; ++round) {
    static_cast<void>(client.run(std::span(ids).subspan(0, 10'000)));
    std::printf("  %.1f MB after %d of them were run\n", server_memory(client.pid()),
                (round + 1) * 10'000);
  }
  client.goodbye();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6)
    fail("usage: serve_bench HEARTH FORK_FLOOR ONE_TEST TEN_THOUSAND_TESTS MANY_TESTS");
  measure_throughput(argv[1], argv[2], argv[4]);
  measure_latency(argv[1], argv[2], argv[3]);
  measure_latency(argv[1], argv[2], argv[4]);
  measure_start_and_memory(argv[1], argv[5]);
}
