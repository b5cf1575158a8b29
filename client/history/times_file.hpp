// `times.dbm` of testr and stestr: how long each test took when it ran last. Python's `dbm` decides
// what kind of file that is; docs/history.md, "times.dbm".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/history/history.hpp"

namespace hearth::client {

using Durations = std::unordered_map<std::string, nanoseconds>;

// stestr always uses Python's dbm.dumb; testr what Python's dbm finds there.
enum class TimesKind : std::uint8_t {
  none,      // there is none yet: dumb is what every Python reads
  dumb,      // times.dbm.dir, times.dbm.dat
  berkeley,  // times.dbm.db
  sqlite,    // times.dbm, of Python 3.13
  unknown,   // times.dbm, of another kind
};
[[nodiscard]] TimesKind find_times(const std::string& path);

class TimesFile {
 public:
  // `directory`: the repository's. `only_dumb`: stestr's.
  TimesFile(std::string directory, bool only_dumb);

  // Nothing, where there is no such file.
  [[nodiscard]] Expected<Durations> read() const;
  // Replaces the times of these tests and leaves those of others. The repository is locked.
  [[nodiscard]] Expected<void> update(const Durations& durations) const;

 private:
  std::string m_path;  // ".testrepository/times.dbm"
  TimesKind m_kind;
};

// One function each for reading all and for replacing some, by kind. `path`: of times.dbm.
[[nodiscard]] Expected<Durations> read_dumb(const std::string& path);
[[nodiscard]] Expected<void> update_dumb(const std::string& path, const Durations& durations);
[[nodiscard]] Expected<Durations> read_berkeley(const std::string& path);
[[nodiscard]] Expected<void> update_berkeley(const std::string& path, const Durations& durations);
[[nodiscard]] Expected<Durations> read_sqlite_times(const std::string& path);
[[nodiscard]] Expected<void> update_sqlite_times(const std::string& path,
                                                 const Durations& durations);

// A duration as Python's float() reads it; and back, nullopt where it is none.
[[nodiscard]] std::string duration_to_python(nanoseconds duration);
[[nodiscard]] std::optional<nanoseconds> duration_from_python(std::string_view text);

}  // namespace hearth::client
