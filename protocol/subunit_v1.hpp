// Incremental parser of subunit v1 text, as libsubunit (the CppUnit listener) and python-subunit
// print it. spec/subunit-v1.md. No I/O, no clock; a peer's bytes never throw.
//
// Flow: feed() bytes as they arrive, next() until nullopt ("need more bytes"); at end of file
// finish(), and next() until nullopt once more. Directives are recognised where python-subunit
// recognises them; every other line is output.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/subunit_v2.hpp"

namespace hearth::protocol::v1 {

// Longest directive; a longer line is output, handed out in pieces.
inline constexpr std::size_t max_line = std::size_t{64} * 1024;
// What one test's attachments may hold: contents, names and types, 64 bytes for each. More is cut.
inline constexpr std::size_t max_details = std::size_t{16} * 1024 * 1024;

// Ids, names, types and tags are as printed: not checked to be UTF-8.
struct TestStarted {
  std::string test_id;
};
struct Attachment {
  // Bracketed text has none: "reason" for a skip's, "message" for a success's, else "traceback".
  std::string name;
  std::string mime_type;
  Bytes content;
  bool truncated = false;  // content was cut at max_details
};
// Only for the test that was started last, and only once its attachments are complete.
struct TestEnded {
  std::string test_id;
  TestStatus status;  // success, fail (failure and error), skip, xfail, uxsuccess
  std::vector<Attachment> attachments;
  std::size_t dropped = 0;  // attachments left out because max_details was reached
};
struct TimeStamped {
  Timestamp when;
};
struct Tagged {
  std::vector<std::string> added;
  std::vector<std::string> removed;
};
struct Progress {
  enum class Kind : std::uint8_t { set, change, push, pop };
  Kind kind;
  std::int64_t offset = 0;  // for set and change
};
// A line that is no directive, with its newline if it had one: the texts in order are the output.
struct ForeignLine {
  std::string text;
};
// A test that began and has no TestEnded: the stream ended, or its attachments are malformed. With
// what there was of them.
struct Damaged {
  std::string reason;
  std::string test_id;
  std::vector<Attachment> attachments;
};
using Event =
    std::variant<TestStarted, TestEnded, TimeStamped, Tagged, Progress, ForeignLine, Damaged>;

class Parser {
 public:
  Parser();
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  void feed(ByteView bytes);
  [[nodiscard]] std::optional<Event> next();
  // End of file: call next() until nullopt; what is fed after that is a new stream.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace hearth::protocol::v1
