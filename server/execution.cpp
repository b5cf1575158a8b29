#include "server/execution.hpp"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "protocol/rpc_packet.hpp"
#include "protocol/utf8.hpp"
#include "server/spawn.hpp"
#include "server/worker_channel.hpp"
#include "worker.pb.h"

namespace hearth::server {
using protocol::TestStatus;
namespace {

constexpr std::uint64_t unlimited = ~std::uint64_t{0};
constexpr std::uint64_t piece_cost =
    64;  // bytes of the limit that a piece of an attachment takes besides its content
constexpr std::size_t drop = 4096;  // bytes; less than that is no reason to look again at once
constexpr int packets_at_a_time =
    64;  // so that a test that never stops reporting does not keep the loop
constexpr int all_packets = 1 << 20;  // the writers are dead: what a socket holds

// Names of the attachments that the server makes.
bool is_ours(std::string_view name) {
  return name == "stdout" || name == "stderr" || name == "stdout.bin" || name == "stderr.bin" ||
         name == "properties" || name == "processes" || name == "rerun" || name == "cut" ||
         name == "stacks" || name == "program";
}

protocol::ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
std::string_view view_of(const protocol::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<TestStatus> status_of(worker::Verdict::Outcome outcome) {
  switch (outcome) {
    case worker::Verdict::SUCCESS:
      return TestStatus::success;
    case worker::Verdict::FAIL:
      return TestStatus::fail;
    case worker::Verdict::SKIP:
      return TestStatus::skip;
    case worker::Verdict::XFAIL:
      return TestStatus::xfail;
    case worker::Verdict::UXSUCCESS:
      return TestStatus::uxsuccess;
    default:
      return std::nullopt;
  }
}

}  // namespace

Expected<ExecutionPipes> make_execution_pipes() {
  auto report = make_channel();
  if (!report) return tl::unexpected(report.error());
  auto out = make_pipe();
  if (!out) return tl::unexpected(out.error());
  auto err = make_pipe();
  if (!err) return tl::unexpected(err.error());
  return ExecutionPipes{std::move(*report), std::move(*out), std::move(*err)};
}

Execution::Execution(ResultTarget target, ExecutionPipes pipes, std::uint64_t output_limit)
    : m_target(target),
      m_pipes(std::move(pipes)),
      m_out("stdout", output_limit),
      m_err("stderr", output_limit),
      m_attachment_room(output_limit == 0 ? unlimited : output_limit) {}

std::vector<UniqueFd> Execution::take_theirs() {
  std::vector<UniqueFd> theirs;
  for (FdPair* const pair : {&m_pipes.report, &m_pipes.out, &m_pipes.err}) {
    if (pair->theirs) theirs.push_back(std::move(pair->theirs));
  }
  return theirs;
}

void Execution::restart(ExecutionPipes pipes, std::string_view why) {
  m_watched.clear();
  drain(m_pipes.out.ours, m_out);
  drain(m_pipes.err.ours, m_err);
  m_out.interrupt(emitter());
  m_err.interrupt(emitter());
  m_pipes = std::move(pipes);
  m_begun.reset();
  m_report_closed = false;
  m_properties.clear();
  m_v1.reset();
  m_evidence = {};
  append_text("rerun", std::string(why) + " while this test ran. It was run once more.\n");
}

void Execution::add_error_line(std::string_view line) {
  m_err.add(std::string(line) + '\n', emitter());
}

void Execution::begin(protocol::Timestamp when, SteadyTime now) {
  m_begun = now;
  if (m_announced) return;
  m_announced = when;
  m_target.session->started(m_target.ordinal, m_target.test_id, when);
}

// Where a descriptor cannot be had, the next try is the next call.
void Execution::watch(asio::io_context& io) {
  for (ReadableFd& watched : m_watched) watched.resume();
  if (!m_watched.empty()) return;
  const auto watch_one = [&](int fd, auto on_readable) {
    m_watched.emplace_back(io, duplicate(fd), std::move(on_readable));
    return m_watched.back().get() >= 0;
  };
  m_watched.reserve(3);
  const bool all = watch_one(m_pipes.report.ours.get(),
                             [this] {
                               read_report(packets_at_a_time);
                               if (m_report_closed) m_watched[0].close();
                             }) &&
                   watch_one(m_pipes.out.ours.get(),
                             [this] { read_watched(m_pipes.out.ours, m_out, m_watched[1]); }) &&
                   watch_one(m_pipes.err.ours.get(),
                             [this] { read_watched(m_pipes.err.ours, m_err, m_watched[2]); });
  if (!all) m_watched.clear();
}

void Execution::read_report(int packets) {
  for (int i = 0; i < packets && !m_report_closed; ++i) {
    const PacketRead read = read_packet(m_pipes.report.ours.get());
    if (read.kind == PacketRead::Kind::nothing_yet) return;
    worker::FromTest message;
    if (read.kind == PacketRead::Kind::closed) {
      m_report_closed = true;
    } else if (message.ParseFromArray(read.bytes.data(), static_cast<int>(read.bytes.size()))) {
      take(message);
    } else {
      m_evidence.trouble = "The test's report channel carried something that is no report.";
    }
  }
}

void Execution::read_watched(UniqueFd& fd, protocol::OutputStream& stream, ReadableFd& watched) {
  const std::size_t got = read_output(fd, stream);
  if (!fd) {
    watched.close();
  } else if (got < drop) {
    watched.pause();
  }
}

std::size_t Execution::read_output(UniqueFd& fd, protocol::OutputStream& stream) {
  static std::string buffer(64 * 1024, '\0');
  // One pipe's worth at a time: a test that never stops printing does not keep the loop from the
  // others.
  ssize_t got = 0;
  do {
    got = read(fd.get(), buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got == 0) fd.reset();
  if (got <= 0) return 0;
  stream.add({buffer.data(), static_cast<std::size_t>(got)}, emitter());
  return static_cast<std::size_t>(got);
}

// The writers are dead, or done with this test: what is there is all there is, at most what a pipe
// can hold.
void Execution::drain(UniqueFd& fd, protocol::OutputStream& stream) {
  constexpr int most_reads = 1024;
  for (int i = 0; fd && i < most_reads && read_output(fd, stream) > 0; ++i) {
  }
  fd.reset();
}

void Execution::finish_output(UniqueFd& fd, protocol::OutputStream& stream) {
  drain(fd, stream);
  stream.finish(emitter());
}

protocol::OutputStream::Emit Execution::emitter() {
  return [this](std::string_view name, std::string_view mime_type, std::string_view content,
                bool last) {
    m_target.session->attach(m_target.ordinal, m_target.test_id, name, mime_type, bytes_of(content),
                             last);
  };
}

// After the verdict the process's exit handlers run, and then it looks for what was leaked.
void Execution::take(const worker::FromTest& message) {
  if (m_evidence.verdict && message.message_case() != worker::FromTest::kAttachment) {
    const bool fails = message.message_case() == worker::FromTest::kVerdict &&
                       message.verdict().outcome() == worker::Verdict::FAIL;
    if (fails) m_evidence.verdict = TestStatus::fail;
    return;
  }
  switch (message.message_case()) {
    case worker::FromTest::kAttachment: {
      const worker::Attachment& piece = message.attachment();
      attach(protocol::as_utf8(piece.name()), protocol::as_utf8(piece.mime_type()),
             piece.content());
      break;
    }
    case worker::FromTest::kSubunitV1:
      take_subunit_v1(message.subunit_v1());
      break;
    case worker::FromTest::kVerdict:
      m_evidence.verdict = status_of(message.verdict().outcome());
      for (const worker::Property& property : message.verdict().property()) {
        m_properties.emplace_back(protocol::as_utf8(property.key()),
                                  protocol::as_utf8(property.value()));
      }
      break;
    default:
      break;  // from a later version
  }
}

void Execution::take_subunit_v1(std::string_view piece) {
  if (!m_v1) m_v1.emplace();
  m_v1->feed(bytes_of(piece));
  take_v1_events(false);
}

void Execution::take_v1_events(bool finish) {
  if (finish) m_v1->finish();
  for (auto event = m_v1->next(); event; event = m_v1->next()) {
    if (const auto* const ended = std::get_if<protocol::v1::TestEnded>(&*event)) {
      if (m_evidence.verdict) continue;
      for (const auto& attachment : ended->attachments) {
        attach(protocol::as_utf8(attachment.name), protocol::as_utf8(attachment.mime_type),
               view_of(attachment.content));
      }
      m_evidence.verdict = ended->status;
    } else if (const auto* const damage = std::get_if<protocol::v1::Damaged>(&*event)) {
      m_evidence.trouble = "The test's subunit v1 report is damaged: " + damage->reason + '.';
    }
  }
}

Execution::OpenAttachment* Execution::find_open(std::string_view name) {
  const auto found = std::find_if(m_open.begin(), m_open.end(),
                                  [&](const OpenAttachment& one) { return one.name == name; });
  return found == m_open.end() ? nullptr : &*found;
}

// A piece of what the test attaches, as far as there is room for it.
void Execution::attach(std::string name, std::string mime_type, std::string_view content) {
  if (name.empty()) name = "attachment";
  if (is_ours(name)) name += ".attached";
  OpenAttachment* open = find_open(name);
  if (open != nullptr && content.empty()) return;
  const std::uint64_t cost = piece_cost + (open == nullptr ? name.size() : 0);
  if (cost > m_attachment_room) {
    m_attachments_cut += content.size();
    return;
  }
  m_attachment_room -= cost;
  const auto kept =
      static_cast<std::size_t>(std::min<std::uint64_t>(content.size(), m_attachment_room));
  m_attachment_room -= kept;
  m_attachments_cut += content.size() - kept;
  if (open == nullptr)
    open = &m_open.emplace_back(OpenAttachment{std::move(name), std::move(mime_type)});
  send(*open, content.substr(0, kept));
}

void Execution::send(OpenAttachment& attachment, std::string_view content) {
  const bool is_text = attachment.mime_type.starts_with("text/");
  const std::string text = is_text ? protocol::as_utf8(content) : std::string();
  m_target.session->attach(m_target.ordinal, m_target.test_id, attachment.name,
                           attachment.mime_type,
                           bytes_of(is_text ? std::string_view(text) : content), false);
}

// Text of our own, outside the test's limit.
void Execution::append_text(std::string_view name, std::string_view text) {
  OpenAttachment* open = find_open(name);
  if (open == nullptr) {
    open = &m_open.emplace_back(
        OpenAttachment{std::string(name), std::string(protocol::text_mime_type)});
  }
  send(*open, text);
}

void Execution::close_attachments() {
  for (const OpenAttachment& open : m_open) {
    m_target.session->attach(m_target.ordinal, m_target.test_id, open.name, open.mime_type, {},
                             true);
  }
  m_open.clear();
}

void Execution::attach_properties() {
  if (m_properties.empty()) return;
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [key, value] : m_properties) object[key] = value;
  const std::string text = object.dump();
  m_target.session->attach(m_target.ordinal, m_target.test_id, "properties", "application/json",
                           bytes_of(text), true);
}

// What the result has to say besides what the test said. A failure or a skip without a word would
// leave its reader with nothing.
void Execution::explain(const Judgement& judgement, const std::string& words) {
  if (!judgement.cause.empty()) append_text("traceback", judgement.cause + '\n');
  if (!words.empty() && judgement.status == TestStatus::fail) append_text("program", words);
  if (!judgement.left.empty()) append_text("processes", judgement.left);
  if (judgement.status == TestStatus::fail && find_open("traceback") == nullptr) {
    append_text("traceback", "The test failed and said no more.\n");
  }
  if (judgement.status == TestStatus::skip && find_open("reason") == nullptr) {
    append_text("reason", "The test gave no reason.\n");
  }
  if (m_attachments_cut == 0) return;
  append_text(judgement.status == TestStatus::fail ? "traceback" : "cut",
              "[cut: " + std::to_string(m_attachments_cut) +
                  " bytes more were attached than the output limit]\n");
}

void Execution::end(const Evidence& evidence, protocol::Timestamp when) {
  m_watched.clear();
  read_report(all_packets);
  if (m_v1) take_v1_events(true);
  finish_output(m_pipes.out.ours, m_out);
  finish_output(m_pipes.err.ours, m_err);

  Evidence all = evidence;
  all.verdict = m_evidence.verdict;
  all.timed_out = m_evidence.timed_out;
  if (all.trouble.empty()) all.trouble = m_evidence.trouble;
  const Judgement judgement = judge(all);
  explain(judgement, evidence.words);
  close_attachments();
  attach_properties();
  // The clock may have been set back since.
  m_target.session->finished(m_target.ordinal, m_target.test_id, judgement.status,
                             m_announced ? std::max(when, *m_announced) : when);
}

}  // namespace hearth::server
