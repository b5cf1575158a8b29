// Which tests are meant: regular expressions (Perl's syntax) that are searched for in ids, and
// lists of ids.
#pragma once

#include <boost/regex.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.hpp"

namespace hearth::client {

// The K-th of N parts, 1 the first.
struct Partition {
  std::uint32_t part = 1;
  std::uint32_t parts = 1;
  bool by_duration = false;  // parts that take as long as each other; otherwise by hash of the id
};
// Which tests of a run, how often, and in what order.
struct SelectionOptions {
  std::vector<std::string> patterns;
  std::optional<std::string> load_list;
  bool failing = false;
  bool last_failed_first = false;
  bool listed_order = false;  // not the slowest first
  std::optional<Partition> partition;
  bool shuffle = false;
  std::optional<std::uint64_t> seed;  // absent: a new one
};
class Selector {
 public:
  // Without patterns, every id is selected; otherwise those in which any pattern is found.
  [[nodiscard]] static Expected<Selector> make(const std::vector<std::string>& patterns);

  // Throws std::runtime_error where a pattern is too much work for an id (nested repetitions).
  [[nodiscard]] bool selects(const std::string& id) const;
  [[nodiscard]] bool selects_all() const { return m_patterns.empty(); }
  // Keeps what is selected, in its order.
  [[nodiscard]] std::vector<std::string> select(std::vector<std::string> ids) const;
  // The patterns, as they were given, that select none of the ids.
  [[nodiscard]] std::vector<std::string> found_in_none(const std::vector<std::string>& ids) const;

 private:
  std::vector<boost::regex> m_patterns;
};

// The ids in the text of an id file: UTF-8, one a line; empty lines are skipped, a carriage return
// at a line's end is dropped. An id that is there several times is several tests to run.
[[nodiscard]] Expected<std::vector<std::string>> parse_id_list(std::string_view text,
                                                               const std::string& file_name);
// `path`: a file, or "-" for stdin.
[[nodiscard]] Expected<std::vector<std::string>> read_id_list(const std::string& path);

}  // namespace hearth::client
