#include "client/compare/comparison.hpp"

#include <algorithm>

#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

constexpr std::string_view reason_mark = " -- ";

struct Line {
  std::size_t number;
  std::string_view text;
};

// The lines that say something, without the blanks at their ends.
std::vector<Line> meaningful_lines(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<Line> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    line = line.substr(0, line.find_last_not_of(blanks) + 1);
    if (!line.empty() && line.front() != '#') lines.push_back({number, line});
  }
  return lines;
}

tl::unexpected<Error> bad_line(const Line& line, const std::string& file_name, std::string cause,
                               std::string remedy) {
  return tl::make_unexpected(Error{"read line " + std::to_string(line.number) + " of " + file_name,
                                   std::move(cause), std::move(remedy)});
}

std::optional<TestStatus> final_status(std::string_view name) {
  for (const auto status : {TestStatus::success, TestStatus::fail, TestStatus::skip,
                            TestStatus::xfail, TestStatus::uxsuccess})
    if (name == protocol::to_string(status)) return status;
  return std::nullopt;
}

std::optional<TestStatus> find(const Verdicts& verdicts, const std::string& id) {
  const auto found = verdicts.find(id);
  return found == verdicts.end() ? std::nullopt : std::optional(found->second);
}

std::string status_text(std::optional<TestStatus> status) {
  return status ? std::string(protocol::to_string(*status)) : "no such test";
}

std::string differences_text(const std::vector<Difference>& differences, const char* title,
                             const ExpectedDifferences& expected) {
  if (differences.empty()) return {};
  std::string text = std::string(title) + "\n";
  for (const auto& difference : differences) {
    text += "    " + printable_line(difference.id) + ": " + difference_text(difference);
    const auto reason = expected.find(difference.id);
    if (reason != expected.end()) text += " (" + printable_line(reason->second) + ")";
    text += "\n";
  }
  return text;
}

}  // namespace

Comparison compare(const Verdicts& hearth, const Verdicts& plain,
                   const ExpectedDifferences& expected) {
  Comparison result;
  const auto judge = [&](const std::string& id) {
    const Difference difference{id, find(hearth, id), find(plain, id)};
    if (difference.hearth == difference.plain)
      ++result.same;
    else if (expected.contains(id))
      result.expected.push_back(difference);
    else
      result.unexpected.push_back(difference);
  };
  for (const auto& [id, status] : hearth) judge(id);
  for (const auto& [id, status] : plain)
    if (!hearth.contains(id)) judge(id);
  for (const auto& [id, reason] : expected)
    if (find(hearth, id) == find(plain, id)) result.stale.push_back(id);
  return result;
}

std::string difference_text(const Difference& difference) {
  return status_text(difference.hearth) + " through Hearth, " + status_text(difference.plain) +
         " by itself";
}

std::string comparison_text(const Comparison& comparison, const ExpectedDifferences& expected) {
  auto text = differences_text(comparison.expected, "Different, as expected:", expected);
  if (!comparison.stale.empty()) {
    text += "Expected to differ, but the same (or no test at all):\n";
    for (const auto& id : comparison.stale) text += "    " + printable_line(id) + "\n";
  }
  text += differences_text(comparison.unexpected, "Different:", expected);
  return text + counted(comparison.same, "verdict") + " the same, " +
         std::to_string(comparison.expected.size()) + " different as expected, " +
         std::to_string(comparison.unexpected.size()) + " different\n";
}

Expected<ExpectedDifferences> parse_expected(std::string_view text, const std::string& file_name) {
  ExpectedDifferences expected;
  for (const auto& line : meaningful_lines(text)) {
    const auto mark = line.text.find(reason_mark);
    if (mark == std::string_view::npos)
      return bad_line(line, file_name, "it gives no reason", "write ID -- REASON");
    const std::string id(line.text.substr(0, line.text.find_last_not_of(' ', mark) + 1));
    if (!expected.emplace(id, line.text.substr(mark + reason_mark.size())).second)
      return bad_line(line, file_name, "its id is there already", "keep one of the two");
  }
  return expected;
}

Expected<Verdicts> parse_plain_results(std::string_view text, const std::string& file_name) {
  Verdicts verdicts;
  for (const auto& line : meaningful_lines(text)) {
    const auto blank = line.text.find_last_of(" \t");
    const auto status =
        blank == std::string_view::npos ? std::nullopt : final_status(line.text.substr(blank + 1));
    if (!status)
      return bad_line(line, file_name, "it does not end in a status",
                      "write ID and success, fail, skip, xfail or uxsuccess");
    const std::string id(line.text.substr(0, line.text.find_last_not_of(" \t", blank) + 1));
    if (!verdicts.emplace(id, *status).second)
      return bad_line(line, file_name, "its id is there already", "each test has one line");
  }
  return verdicts;
}

}  // namespace hearth::client
