// Runs a fuzz target without libFuzzer, the same way every time: over seeds, and mutations of them.
//
//   driver COUNT FILE...    COUNT mutations of each seed
//
// A .json file is a list of vectors: of each, the bytes of "hex" or "text" are a seed. Any other
// file is one. Where the target fails, the input's seed and number are the last line on stderr, and
// its bytes are in failing-input in the working directory.
#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace {

using Input = std::string;

std::string unhex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

Input seed_of(const nlohmann::json& vector) {
  if (vector.contains("hex")) return unhex(vector["hex"].get<std::string>());
  for (const char* key : {"text", "message"}) {
    if (vector.contains(key) && vector[key].is_string()) return vector[key];
  }
  return {};
}

void add_seeds(const std::string& path, std::vector<Input>& seeds) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "driver: cannot read %s\n", path.c_str());
    std::exit(2);
  }
  const Input whole(std::istreambuf_iterator<char>(file), {});
  if (!path.ends_with(".json")) {
    seeds.push_back(whole);
    return;
  }
  for (const auto& vector : nlohmann::json::parse(whole)) {
    const Input bytes = seed_of(vector);
    // The targets' first byte says how they feed the rest, and what else they do with it.
    for (const char* choice : {"\x02", "\x13"}) seeds.push_back(choice + bytes);
  }
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Input>& seeds) : m_seeds(seeds) {}

  Input mutate(Input input) {
    for (std::size_t steps = 1 + below(4); steps > 0; --steps) step(input);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : m_random() % limit; }
  char byte() {
    static constexpr unsigned char telling[] = {0xB3, 0x20, 0x28, 0x40, 0x80, 0xC2, 0xFF, 0x00,
                                                '\n', ' ',  ']',  '[',  '"',  '\\', '{',  '}'};
    return static_cast<char>(below(2) == 0 ? telling[below(sizeof telling)] : below(256));
  }

  void step(Input& input) {
    const std::size_t at = below(input.size() + 1);
    const std::size_t length = below(std::min<std::size_t>(input.size() - at, 40) + 1);
    switch (below(7)) {
      case 0:
        if (at < input.size()) input[at] = byte();
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ 1 << below(8));
        break;
      case 2:
        input.insert(at, 1, byte());
        break;
      case 3:
        input.erase(at, length);
        break;
      case 4:
        input.insert(below(input.size() + 1), input.substr(at, length));
        break;
      case 5:
        input.resize(at);
        break;
      default:
        input.insert(at, m_seeds[below(m_seeds.size())]);
    }
    constexpr std::size_t longest = 8192;
    if (input.size() > longest) input.resize(longest);
  }

  const std::vector<Input>& m_seeds;
  std::mt19937 m_random{20261120};
};

const Input* running = nullptr;
char running_name[64];

// Not in the manner of a signal handler: the process is about to end anyway.
void on_abort(int) {
  std::fprintf(stderr, "driver: failed at %s\n", running_name);
  std::ofstream("failing-input", std::ios::binary) << *running;
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

void run(const Input& input, std::size_t seed, std::size_t number) {
  running = &input;
  std::snprintf(running_name, sizeof running_name, "seed %zu, mutation %zu", seed, number);
  // A copy of its own, so that a sanitizer sees a read behind its end.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: driver COUNT FILE...\n");
    return 2;
  }
  const std::size_t count = std::strtoul(argv[1], nullptr, 10);
  std::vector<Input> seeds;
  for (int i = 2; i < argc; ++i) add_seeds(argv[i], seeds);
  if (seeds.empty()) {
    std::fprintf(stderr, "driver: no seeds\n");
    return 2;
  }
  std::signal(SIGABRT, on_abort);
  Mutator mutator(seeds);
  run("", 0, 0);
  for (std::size_t seed = 0; seed < seeds.size(); ++seed) {
    run(seeds[seed], seed, 0);
    for (std::size_t number = 1; number <= count; ++number) {
      run(mutator.mutate(seeds[seed]), seed, number);
    }
  }
  std::printf("%zu inputs\n", 1 + seeds.size() * (count + 1));
}
