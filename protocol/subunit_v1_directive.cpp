#include "protocol/subunit_v1_directive.hpp"

#include <array>
#include <charconv>

namespace hearth::protocol::v1 {
namespace {

constexpr std::string_view white_space = " \t\r\n\v\f";

struct Word {
  std::string_view text;
  Keyword keyword;
  TestStatus status = TestStatus::undefined;
};
constexpr std::array words{
    Word{"test", Keyword::test},
    Word{"testing", Keyword::test},
    Word{"success", Keyword::outcome, TestStatus::success},
    Word{"successful", Keyword::outcome, TestStatus::success},
    Word{"failure", Keyword::outcome, TestStatus::fail},
    Word{"error", Keyword::outcome, TestStatus::fail},
    Word{"skip", Keyword::outcome, TestStatus::skip},
    Word{"xfail", Keyword::outcome, TestStatus::xfail},
    Word{"uxsuccess", Keyword::outcome, TestStatus::uxsuccess},
    Word{"progress", Keyword::progress},
    Word{"tags", Keyword::tags},
    Word{"time", Keyword::time},
};

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(white_space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes the parts of a date from the front of a text. After the first part that is missing, all
// are.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : m_rest(text) {}

  int digits(std::size_t least, std::size_t most) {
    int value = 0;
    std::size_t count = 0;
    while (count < most && count < m_rest.size() && is_digit(m_rest[count])) {
      value = value * 10 + (m_rest[count++] - '0');
    }
    if (count < least) m_good = false;
    m_rest.remove_prefix(count);
    return value;
  }
  // A one-character separator: exactly `expected`, or any where that is '.'.
  void separator(char expected) {
    if (m_rest.empty() || (expected != '.' && m_rest.front() != expected)) {
      m_good = false;
    } else {
      m_rest.remove_prefix(1);
    }
  }
  std::chrono::nanoseconds fraction() {
    if (m_rest.empty() || m_rest.front() != '.') return std::chrono::nanoseconds(0);
    m_rest.remove_prefix(1);
    std::int64_t value = 0;
    std::int64_t unit = 1'000'000'000;
    if (m_rest.empty() || !is_digit(m_rest.front())) m_good = false;
    for (; !m_rest.empty() && is_digit(m_rest.front()); m_rest.remove_prefix(1)) {
      unit /= 10;
      value += unit * (m_rest.front() - '0');
    }
    return std::chrono::nanoseconds(value);
  }
  std::chrono::minutes zone() {
    if (m_rest.empty()) return std::chrono::minutes(0);
    const char sign = m_rest.front();
    m_rest.remove_prefix(1);
    if (sign == 'Z') return std::chrono::minutes(0);
    if (sign != '+' && sign != '-') m_good = false;
    const int hours = digits(2, 2);
    separator(':');
    const int minutes = digits(2, 2);
    const std::chrono::minutes offset(hours * 60 + minutes);
    return sign == '-' ? -offset : offset;
  }
  [[nodiscard]] bool good() const { return m_good && m_rest.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::string_view m_rest;
  bool m_good = true;
};

}  // namespace

std::optional<Directive> parse_directive(std::string_view line) {
  const std::size_t word_end = line.find_first_of(white_space);
  if (word_end == 0 || word_end == std::string_view::npos) return std::nullopt;
  const std::string_view argument = line.substr(word_end + 1);
  if (trim(argument).empty()) return std::nullopt;
  std::string_view text = line.substr(0, word_end);
  while (text.ends_with(':')) text.remove_suffix(1);
  for (const Word& word : words) {
    if (word.text == text) return Directive{word.keyword, word.status, argument};
  }
  return std::nullopt;
}

std::optional<Progress> parse_progress(std::string_view argument) {
  argument = trim(argument);
  if (argument == "push") return Progress{Progress::Kind::push, 0};
  if (argument == "pop") return Progress{Progress::Kind::pop, 0};
  const bool change = argument.starts_with('+') || argument.starts_with('-');
  if (argument.starts_with('+')) argument.remove_prefix(1);
  if (change && argument.starts_with("+")) return std::nullopt;
  const auto offset = parse_integer(argument);
  if (!offset) return std::nullopt;
  return Progress{change ? Progress::Kind::change : Progress::Kind::set, *offset};
}

std::optional<TimeStamped> parse_time(std::string_view argument) {
  using namespace std::chrono;
  DateReader reader(argument);
  const year y(reader.digits(4, 4));
  reader.separator('-');
  const month m(static_cast<unsigned>(reader.digits(1, 2)));
  reader.separator('-');
  const day d(static_cast<unsigned>(reader.digits(1, 2)));
  reader.separator('.');
  const int hour = reader.digits(2, 2);
  reader.separator(':');
  const int minute = reader.digits(2, 2);
  reader.separator(':');
  const int second = reader.digits(2, 2);
  const nanoseconds fraction = reader.fraction();
  const minutes zone = reader.zone();
  const year_month_day date(y, m, d);
  if (!reader.good() || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  // What 64 bits of nanoseconds hold, with a day to spare for the zone.
  if (y < year(1678) || y > year(2261)) return std::nullopt;
  return TimeStamped{sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + fraction -
                     zone};
}

Tagged parse_tags(std::string_view argument) {
  Tagged tagged;
  while (!(argument = trim(argument)).empty()) {
    const std::string_view tag = argument.substr(0, argument.find_first_of(white_space));
    argument.remove_prefix(tag.size());
    if (tag.starts_with('-')) {
      tagged.removed.emplace_back(tag.substr(1));
    } else {
      tagged.added.emplace_back(tag);
    }
  }
  return tagged;
}

}  // namespace hearth::protocol::v1
