// `hearth stream`: a test_command for testr, and an interpreter for stestr. What the server says of
// tests goes to stdout as it is; the orchestrator above does the rest.
#include <iostream>

#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/project/servers.hpp"
#include "client/reports/subunit_report.hpp"
#include "client/run/orchestrator.hpp"
#include "client/run/selection.hpp"
#include "server/program_words.hpp"

namespace hearth::client {
namespace {

// What testr calls a test_command that exits with a status other than 0. It comes back as an id of
// `run --failing`.
constexpr std::string_view not_a_test = "process-returncode";

class StreamListener : public RunListener {
 public:
  explicit StreamListener(ReportFile file) : m_file(std::move(file)) {}

  void on_note(std::string_view line) override {
    if (!server::is_quiet_line(line)) m_notes(std::string(line) + "\n");
  }
  void on_packet(Worker worker, const protocol::PacketView& packet) override {
    const auto pieces = m_limit.pieces(worker, packet);
    const std::vector<std::string_view> tags(packet.tags.begin(), packet.tags.end());
    auto copy = as_packet(packet, tags);
    copy.route_code = packet.route_code;
    if (pieces.empty() || !write_pieces(copy, pieces, m_file))
      m_file.write(protocol::as_text(packet.wire));
    // A test's end is told at once: whoever reads schedules by it.
    if (packet.status != protocol::TestStatus::undefined) (void)m_file.flush();
  }
  void on_tick(const Snapshot&) override { (void)m_file.flush(); }

  void list(const std::vector<std::string>& ids) {
    protocol::Bytes wire;
    for (const auto& id : ids) {
      protocol::Packet packet;
      packet.status = protocol::TestStatus::exists;
      packet.runnable = true;
      packet.test_id = id;
      wire.clear();
      (void)protocol::encode(packet, wire);  // the id came in a packet, and goes into one
      m_file.write(protocol::as_text(wire));
    }
  }
  Expected<void> finish() { return m_file.flush(); }

 private:
  ReportFile m_file;
  AttachmentLimit m_limit;
  Writer m_notes = descriptor_writer(STDERR_FILENO);
};

Expected<std::vector<std::string>> asked_for(const StreamCommand& command) {
  auto ids = command.ids;
  if (command.load_list) {
    auto loaded = read_id_list(*command.load_list);
    if (!loaded) return tl::unexpected(loaded.error());
    ids.insert(ids.end(), loaded->begin(), loaded->end());
  }
  std::erase(ids, not_a_test);
  return ids;
}

}  // namespace

int stream(const StreamCommand& command, const std::string& executable) {
  const auto servers = find_servers(command.project, executable, 1);
  if (!servers) return fail_setup(servers.error().text());
  auto ids = asked_for(command);
  if (!ids) return fail_setup(ids.error().text());
  auto file = ReportFile::open("-");
  if (!file) return fail_setup(file.error().text());
  StreamListener listener(std::move(*file));

  const bool some = command.load_list.has_value() || !command.ids.empty();
  RunPlan plan;
  plan.servers = servers->commands;
  plan.filter_tags = servers->filter_tags;
  plan.patience.grace = grace_of(command.project.server);
  plan.list_first = command.list || !some;
  if (!command.list)
    plan.choose = [&](std::vector<std::string> listed) {
      Chosen chosen;
      chosen.ids = some ? std::move(*ids) : std::move(listed);
      chosen.order = ScheduleOptions::Order::as_given;
      return chosen;
    };
  const auto end = run_tests(std::move(plan), listener);
  if (!end) return fail_setup(end.error().text());
  if (end->refused) return fail_setup("the server could not begin: " + *end->refused);
  for (const auto& doubt : end->outcome.doubts) listener.on_note("hearth: " + doubt);
  if (command.list && end->outcome.doubts.empty()) listener.list(end->listed);
  if (const auto done = listener.finish(); !done) return fail_setup(done.error().text());
  const auto code = exit_code(end->outcome);
  return as_int(code == ExitCode::failures ? ExitCode::success : code);
}

}  // namespace hearth::client
