#include "client/history/times_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "client/history/files.hpp"

namespace hearth::client {
namespace {

constexpr std::string_view sqlite_magic{"SQLite format 3\0", 16};

Error unknown_kind(const std::string& path) {
  return {"use the durations in " + path, "it is of a kind that is not known here",
          "remove it, and it is made anew; the runs are kept elsewhere"};
}

}  // namespace

// In the order of Python's dbm.whichdb().
TimesKind find_times(const std::string& path) {
  if (exists(path + ".db")) return TimesKind::berkeley;
  if (exists(path + ".dir") || exists(path + ".dat")) return TimesKind::dumb;
  if (!exists(path)) return TimesKind::none;
  std::array<char, sqlite_magic.size()> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == sqlite_magic ? TimesKind::sqlite
                                                                      : TimesKind::unknown;
}

TimesFile::TimesFile(std::string directory, bool only_dumb)
    : m_path(std::move(directory) + "/times.dbm"),
      m_kind(only_dumb ? TimesKind::dumb : find_times(m_path)) {}

Expected<Durations> TimesFile::read() const {
  switch (m_kind) {
    case TimesKind::none:
      return Durations();
    case TimesKind::dumb:
      return read_dumb(m_path);
    case TimesKind::berkeley:
      return read_berkeley(m_path);
    case TimesKind::sqlite:
      return read_sqlite_times(m_path);
    case TimesKind::unknown:
      break;
  }
  return tl::unexpected(unknown_kind(m_path));
}

Expected<void> TimesFile::update(const Durations& durations) const {
  if (durations.empty()) return {};
  switch (m_kind) {
    case TimesKind::none:
    case TimesKind::dumb:
      return update_dumb(m_path, durations);
    case TimesKind::berkeley:
      return update_berkeley(m_path, durations);
    case TimesKind::sqlite:
      return update_sqlite_times(m_path, durations);
    case TimesKind::unknown:
      break;
  }
  return tl::unexpected(unknown_kind(m_path));
}

std::string duration_to_python(nanoseconds duration) {
  // Never zero: testr takes the logarithm of the longest.
  const auto count = std::max<std::int64_t>(duration.count(), 1);
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%lld.%09lld",
                                 static_cast<long long>(count / 1'000'000'000),
                                 static_cast<long long>(count % 1'000'000'000));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<nanoseconds> duration_from_python(std::string_view text) {
  double seconds = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (fault != std::errc() || end == text.data() || !(seconds >= 0 && seconds < 9e9))
    return std::nullopt;
  return nanoseconds(std::llround(seconds * 1e9));
}

}  // namespace hearth::client
