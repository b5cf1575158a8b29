// One execution of one test: its output and its report as they come, its time limit, and in the end
// its final status. Its process is the zygote's business; what happens to it is told here.
//
// Flow: begin() when the process runs; watch() once it has run for a moment (short tests never need
// the event loop); end() when the process has been reaped: what is left in the pipes is read and
// the status sent. Where the process was lost through no fault that is known, restart() and begin()
// again: to the client it is one execution.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/error.hpp"
#include "protocol/output_stream.hpp"
#include "protocol/server_session.hpp"
#include "protocol/subunit_v1.hpp"
#include "server/readable_fd.hpp"
#include "server/verdict.hpp"
#include "server/work_clock.hpp"

namespace hearth::worker {
class FromTest;
}

namespace hearth::server {

// Where the results of one execution go.
struct ResultTarget {
  protocol::ServerSession* session;
  std::uint64_t ordinal;
  std::string_view test_id;  // outlives the execution
};

struct ExecutionPipes {
  FdPair report;
  FdPair out;
  FdPair err;
};
[[nodiscard]] Expected<ExecutionPipes> make_execution_pipes();

class Execution {
 public:
  Execution(ResultTarget target, ExecutionPipes pipes, std::uint64_t output_limit);

  // The ends that go to the test's process: report, stdout, stderr. In a shared process it has its
  // own stdout and stderr, and there is a report only.
  [[nodiscard]] std::vector<UniqueFd> take_theirs();

  // Forgets what the lost process reported, but not what has been sent of its output; `why` is for
  // people.
  void restart(ExecutionPipes pipes, std::string_view why);

  // Before it begins: other ones.
  void replace_pipes(ExecutionPipes pipes) { m_pipes = std::move(pipes); }

  // What the test said to stderr by a descriptor of the program's.
  void add_error_line(std::string_view line);
  void begin(protocol::Timestamp when, SteadyTime now);
  [[nodiscard]] std::optional<protocol::Timestamp> announced() const { return m_announced; }
  [[nodiscard]] bool begun() const { return m_begun.has_value(); }
  [[nodiscard]] std::optional<SteadyTime> begun_at() const { return m_begun; }
  // Call it every few milliseconds: output that comes in drops is read that often, and no oftener.
  void watch(asio::io_context& io);

  void timed_out(std::chrono::milliseconds limit) { m_evidence.timed_out = limit; }
  void attach_stacks(std::string_view text) { append_text("stacks", text); }
  // What is known of the end, but for what the test itself reported. Sends the final status.
  void end(const Evidence& evidence, protocol::Timestamp when);

 private:
  struct OpenAttachment {
    std::string name;
    std::string mime_type;
  };

  // At most `packets` of them.
  void read_report(int packets);
  // How many bytes; 0: nothing is left to read for now.
  std::size_t read_output(UniqueFd& fd, protocol::OutputStream& stream);
  void read_watched(UniqueFd& fd, protocol::OutputStream& stream, ReadableFd& watched);
  void drain(UniqueFd& fd, protocol::OutputStream& stream);
  void finish_output(UniqueFd& fd, protocol::OutputStream& stream);
  [[nodiscard]] protocol::OutputStream::Emit emitter();
  void take(const worker::FromTest& message);
  void take_subunit_v1(std::string_view piece);
  void take_v1_events(bool finish);
  void attach(std::string name, std::string mime_type, std::string_view content);
  void send(OpenAttachment& attachment, std::string_view content);
  void append_text(std::string_view name, std::string_view text);
  [[nodiscard]] OpenAttachment* find_open(std::string_view name);
  void explain(const Judgement& judgement, const std::string& words);
  void close_attachments();
  void attach_properties();

  ResultTarget m_target;
  ExecutionPipes m_pipes;
  protocol::OutputStream m_out;
  protocol::OutputStream m_err;
  std::uint64_t m_attachment_room;  // bytes that the test may still attach
  std::uint64_t m_attachments_cut = 0;
  std::optional<SteadyTime> m_begun;
  std::optional<protocol::Timestamp> m_announced;  // when, as the client was told
  std::vector<ReadableFd> m_watched;
  bool m_report_closed = false;
  std::vector<OpenAttachment> m_open;  // every attachment: each stays open until the end
  std::vector<std::pair<std::string, std::string>> m_properties;
  std::optional<protocol::v1::Parser> m_v1;
  Evidence m_evidence;
};

}  // namespace hearth::server
