// Incremental parser of subunit v1 text, as the CppUnit listener prints it. spec/subunit-v1.md.
// Lines that are no directive are the test's output (ForeignLine). No I/O, no clock.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/subunit_v2.hpp"

namespace hearth::protocol::v1 {

struct TestStarted {
  std::string test_id;
};
struct Attachment {
  std::string name;       // "traceback" for bracketed text without a name, "reason" for a skip's
  std::string mime_type;
  Bytes content;
};
struct TestEnded {
  std::string test_id;
  TestStatus status;  // success, fail (failure and error), skip, xfail, uxsuccess
  std::vector<Attachment> attachments;
};
struct TimeStamped {
  Timestamp when;
};
struct Tagged {
  std::vector<std::string> added;
  std::vector<std::string> removed;
};
struct ForeignLine {
  std::string text;
};
struct Damaged {
  std::string reason;
};
using Event = std::variant<TestStarted, TestEnded, TimeStamped, Tagged, ForeignLine, Damaged>;

class Parser {
 public:
  void feed(ByteView bytes);
  [[nodiscard]] std::optional<Event> next();
  [[nodiscard]] std::optional<Event> finish();

 private:
  std::string m_buffer;
};

}  // namespace hearth::protocol::v1
