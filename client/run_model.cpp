#include "client/run_model.hpp"

#include <algorithm>

#include "client/text.hpp"

namespace hearth::client {

using protocol::PacketView;
using protocol::TestStatus;

namespace {

constexpr std::size_t kept_head = std::size_t{256} * 1024;  // bytes of a traceback or reason
constexpr std::size_t kept_tail = std::size_t{64} * 1024;   // bytes of anything else
constexpr std::size_t longest_cause = 300;  // bytes of the text that it is taken from

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
  if (found == attachments.end())
    found = attachments.insert(
        found, {std::string(name), std::string(packet.mime_type.value_or("")), {}, 0});
  append(*found, protocol::as_text(packet.file_content));
}

}  // namespace

RunModel::RunModel(std::vector<std::string> asked_for) : m_asked_for(std::move(asked_for)) {
  m_counts.expected = m_asked_for.size();
  m_outstanding.reserve(m_asked_for.size());
  for (const auto& id : m_asked_for) ++m_outstanding[id];
}

std::optional<TestReport> RunModel::apply(const PacketView& packet, SteadyTime now) {
  if (!packet.test_id || packet.status == TestStatus::exists) return std::nullopt;
  const auto id = *packet.test_id;
  if (packet.status == TestStatus::inprogress) {
    auto& test = open_test(packet);
    test.started = true;
    test.since = now;
    test.started_at = packet.timestamp;
  }
  if (packet.file_name) attach(open_test(packet).attachments, packet);
  if (!is_final(packet.status)) return std::nullopt;
  return close_test(id, packet);
}

std::vector<RunningTest> RunModel::running() const {
  std::vector<RunningTest> tests;
  for (const auto& test : m_open)
    if (test.started) tests.push_back({test.id, test.since});
  return tests;
}

std::size_t RunModel::running_count() const {
  return static_cast<std::size_t>(
      std::count_if(m_open.begin(), m_open.end(), [](const Open& test) { return test.started; }));
}

std::vector<MissingTest> RunModel::missing() const {
  std::vector<MissingTest> tests;
  auto outstanding = m_outstanding;
  for (const auto& id : m_asked_for) {
    auto& count = outstanding.at(id);
    if (count == 0) continue;
    --count;
    const auto* const open = find_open(id);
    tests.push_back({id, open != nullptr ? open->route_code : std::string()});
  }
  return tests;
}

std::vector<Attachment> RunModel::attachments_of(std::string_view id) const {
  const auto* const open = find_open(id);
  return open != nullptr ? open->attachments : std::vector<Attachment>();
}

const RunModel::Open* RunModel::find_open(std::string_view id) const {
  for (const auto& test : m_open)
    if (test.id == id) return &test;
  return nullptr;
}

RunModel::Open& RunModel::open_test(const PacketView& packet) {
  for (auto& test : m_open)
    if (test.id == *packet.test_id) return test;
  return m_open.emplace_back(Open{std::string(*packet.test_id),
                                  std::string(packet.route_code.value_or("")),
                                  false,
                                  {},
                                  {},
                                  {}});
}

TestReport RunModel::close_test(std::string_view id, const PacketView& packet) {
  TestReport report;
  report.id = id;
  report.status = packet.status;
  const auto test =
      std::find_if(m_open.begin(), m_open.end(), [&](const Open& open) { return open.id == id; });
  if (test != m_open.end()) {
    report.attachments = std::move(test->attachments);
    if (test->started_at && packet.timestamp)
      report.duration = *packet.timestamp - *test->started_at;
    m_open.erase(test);
  }
  report.asked_for = settle(id);
  count(packet.status);
  return report;
}

// Takes one result of `id` off the ledger; false where none is outstanding.
bool RunModel::settle(std::string_view id) {
  const auto entry = m_outstanding.find(id);
  if (entry == m_outstanding.end() || entry->second == 0) return false;
  --entry->second;
  ++m_counts.done;
  return true;
}

void RunModel::count(TestStatus status) {
  if (is_failure(status))
    ++m_counts.failed;
  else if (status == TestStatus::skip)
    ++m_counts.skipped;
  else if (status == TestStatus::xfail)
    ++m_counts.xfailed;
  else
    ++m_counts.passed;
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

bool is_failure(TestStatus status) {
  return status == TestStatus::fail || status == TestStatus::uxsuccess;
}

}  // namespace hearth::client
