#include "client/run/result_assembler.hpp"

#include <algorithm>

#include "client/text.hpp"

namespace hearth::client {

using protocol::PacketView;
using protocol::TestStatus;

namespace {

constexpr std::size_t kept_head = std::size_t{256} * 1024;  // bytes of a traceback or reason
constexpr std::size_t kept_tail = std::size_t{64} * 1024;   // bytes of anything else
constexpr std::size_t most_attachments = 1000;  // of one test; more are counted in the last one
constexpr std::size_t longest_cause = 300;      // bytes of the text that it is taken from

bool keeps_beginning(std::string_view name) {
  return name == "traceback" || name == "reason";
}

bool is_final(TestStatus status) {
  return status != TestStatus::undefined && status != TestStatus::exists &&
         status != TestStatus::inprogress;
}

// The words of `text`, a blank between them.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return printable_line(line);
}

void append(Attachment& attachment, std::string_view content) {
  attachment.size += content.size();
  auto& text = attachment.text;
  if (keeps_beginning(attachment.name)) {
    text += content.substr(0, kept_head - text.size());
    return;
  }
  if (content.size() > kept_tail) content.remove_prefix(content.size() - kept_tail);
  text += content;
  if (text.size() > 2 * kept_tail) text.erase(0, text.size() - kept_tail);
}

void attach(std::vector<Attachment>& attachments, const PacketView& packet) {
  const auto name = *packet.file_name;
  auto found = std::find_if(attachments.begin(), attachments.end(),
                            [&](const Attachment& attachment) { return attachment.name == name; });
  if (found == attachments.end() && attachments.size() == most_attachments)
    found = std::prev(attachments.end());
  if (found == attachments.end())
    found = attachments.insert(
        found, {std::string(name), std::string(packet.mime_type.value_or("")), {}, 0});
  append(*found, protocol::as_text(packet.file_content));
}

}  // namespace

ResultAssembler::Step ResultAssembler::apply(const PacketView& packet, SteadyTime now) {
  Step step;
  if (!packet.test_id || packet.status == TestStatus::exists) return step;
  if (packet.status == TestStatus::inprogress) {
    auto& test = open_test(packet);
    step.starts = !test.started;
    test.started = true;
    test.since = now;
    test.started_at = packet.timestamp;
  }
  if (packet.file_name) attach(open_test(packet).attachments, packet);
  if (is_final(packet.status)) step.ends = close_test(packet);
  return step;
}

std::vector<RunningTest> ResultAssembler::running() const {
  std::vector<std::pair<std::uint64_t, RunningTest>> tests;
  for (const auto& [key, test] : m_open)
    if (test.started) tests.push_back({test.order, {key.id, test.since, 0, std::nullopt}});
  std::sort(tests.begin(), tests.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<RunningTest> ordered;
  ordered.reserve(tests.size());
  for (const auto& [order, test] : tests) ordered.push_back(test);
  return ordered;
}

std::optional<ResultAssembler::Unfinished> ResultAssembler::take(std::string_view id) {
  const auto found = m_open.lower_bound(KeyView{id, {}});
  if (found == m_open.end() || found->first.id != id) return std::nullopt;
  Unfinished unfinished{found->first.route_code, found->second.started_at,
                        std::move(found->second.attachments)};
  m_open.erase(found);
  return unfinished;
}

std::vector<ResultAssembler::Left> ResultAssembler::take_unstarted(
    const std::function<bool(std::string_view id, std::string_view route)>& wanted) {
  std::vector<Left> left;
  for (auto test = m_open.begin(); test != m_open.end();) {
    if (test->second.started || !wanted(test->first.id, test->first.route_code)) {
      ++test;
      continue;
    }
    left.push_back({test->first.id, std::move(test->second.attachments)});
    test = m_open.erase(test);
  }
  return left;
}

ResultAssembler::Open& ResultAssembler::open_test(const PacketView& packet) {
  const KeyView key{*packet.test_id, packet.route_code.value_or("")};
  const auto found = m_open.find(key);
  if (found != m_open.end()) return found->second;
  auto& test = m_open[{std::string(key.first), std::string(key.second)}];
  test.order = m_opened++;
  return test;
}

TestReport ResultAssembler::close_test(const PacketView& packet) {
  TestReport report;
  report.id = *packet.test_id;
  report.status = packet.status;
  report.ended_at = packet.timestamp;
  const auto test = m_open.find(KeyView{*packet.test_id, packet.route_code.value_or("")});
  if (test == m_open.end()) return report;
  report.attachments = std::move(test->second.attachments);
  report.started_at = test->second.started_at;
  m_open.erase(test);
  return report;
}

std::string short_cause(const TestReport& report) {
  for (const std::string_view name : {"traceback", "reason"}) {
    for (const auto& attachment : report.attachments) {
      if (attachment.name != name) continue;
      auto cause = one_line(std::string_view(attachment.text).substr(0, longest_cause));
      if (!cause.empty()) return cause;
    }
  }
  return {};
}

bool TestReport::is_flaky() const {
  return attempt > 1 && !is_failure(status);
}

bool tells_of_an_end(std::string_view id) {
  const auto number = id.rfind(" #");
  if (number != id.npos && id.find_first_not_of("0123456789", number + 2) == id.npos)
    id = id.substr(0, number);
  return id.ends_with(".exit") || id.ends_with(".teardown");
}

bool is_failure(TestStatus status) {
  return status == TestStatus::fail || status == TestStatus::uxsuccess;
}

}  // namespace hearth::client
