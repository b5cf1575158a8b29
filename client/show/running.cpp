#include "client/show/running.hpp"

#include <algorithm>

#include "client/show/progress.hpp"
#include "client/show/slow.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t kept = 300;   // bytes of a line
constexpr std::size_t shown = 200;  // columns of it

std::string_view last_line(std::string_view text) {
  const auto end = text.find_last_not_of("\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const auto newline = text.rfind('\n');
  return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

std::string running_text(const RunningTest& test, const Snapshot& snapshot, const LastWords& words,
                         bool several_workers) {
  const auto taken = snapshot.now - test.since;
  auto text = "  " + age_text(taken) + "  " + printable_line(test.id);
  if (is_slow(taken, test.expected)) text += "  SLOW";
  text += last_time_text(test.expected);
  if (several_workers) text += "  (server " + std::to_string(test.worker) + ")";
  const auto said = words.of(test.id);
  if (!said.empty()) text += "\n      said last: " + fitted(printable_line(said), shown);
  return text + "\n";
}

}  // namespace

void LastWords::on_packet(const protocol::PacketView& packet) {
  if (!packet.test_id || !packet.file_name || packet.file_content.empty()) return;
  if (*packet.file_name != "stdout" && *packet.file_name != "stderr") return;
  auto content = protocol::as_text(packet.file_content);
  if (content.size() > kept) content.remove_prefix(content.size() - kept);
  const auto found = m_lines.find(*packet.test_id);
  auto& line = found != m_lines.end() ? found->second : m_lines[std::string(*packet.test_id)];
  // What is kept is at most a line, and its newline if it has come.
  line += content;
  const auto start = static_cast<std::size_t>(last_line(line).data() - line.data());
  if (!last_line(line).empty()) line.erase(0, start);
  if (line.size() > kept) line.erase(0, line.size() - kept);
}

void LastWords::on_result(const TestReport& report) {
  if (m_lines.empty()) return;
  const auto found = m_lines.find(report.id);
  if (found != m_lines.end()) m_lines.erase(found);
}

std::string_view LastWords::of(std::string_view id) const {
  const auto found = m_lines.find(id);
  return found == m_lines.end() ? std::string_view() : last_line(found->second);
}

std::string what_runs_now(const Snapshot& snapshot, const LastWords& words) {
  const auto& running = snapshot.running;
  auto text = "Running now, after " + age_text(snapshot.elapsed) + ": ";
  if (!snapshot.activity.empty()) return text + printable_line(snapshot.activity) + "\n";
  text += counted(running.size(), "test") + "; " + std::to_string(snapshot.counts.done) + "/" +
          std::to_string(snapshot.counts.expected) + " done, " + counts_text(snapshot.counts) +
          "\n";
  const bool several = std::any_of(running.begin(), running.end(),
                                   [](const RunningTest& test) { return test.worker != 0; });
  for (const auto& test : running) text += running_text(test, snapshot, words, several);
  return text;
}

}  // namespace hearth::client
