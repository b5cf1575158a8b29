#include "tunnel/console_settings.hpp"

#include <sys/random.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>

namespace hearth::tunnel {
namespace {

namespace armour = protocol::armour;

constexpr double shortest_deadline = 0.1;  // seconds
constexpr double longest_deadline = 86'400;

// The value of a variable within limits; nullopt: it is not set.
template <typename Number>
Expected<std::optional<Number>> number_of(const char* variable, Number least, Number most) {
  const char* const text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  Number value{};
  const char* const end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, value);
  if (error != std::errc() || rest != end || !(value >= least && value <= most)) {
    char limits[64];
    std::snprintf(limits, sizeof limits, "set it to a number from %g to %g",
                  static_cast<double>(least), static_cast<double>(most));
    return tl::unexpected(Error{std::string("use ") + variable + "=" + text,
                                "not a number within its limits", limits});
  }
  return value;
}

}  // namespace

Expected<armour::Options> console_options(armour::Side side) {
  armour::Options options;
  options.side = side;
  const auto deadline =
      number_of<double>("HEARTH_CONSOLE_DEADLINE", shortest_deadline, longest_deadline);
  if (!deadline) return tl::unexpected(deadline.error());
  const auto line =
      number_of<std::uint16_t>("HEARTH_CONSOLE_LINE", armour::shortest_line, armour::longest_line);
  if (!line) return tl::unexpected(line.error());
  if (*deadline) {
    options.deadline = armour::Time(static_cast<armour::Time::rep>(**deadline * 1'000));
    options.connect_deadline = options.deadline;
  }
  if (*line) options.line = **line;
  while (getrandom(&options.nonce, sizeof options.nonce, 0) != sizeof options.nonce) {
  }
  return options;
}

armour::Time steady_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return armour::Time(now.tv_sec * 1'000 + now.tv_nsec / 1'000'000);
}

}  // namespace hearth::tunnel
