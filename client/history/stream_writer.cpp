#include "client/history/stream_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "client/history/files.hpp"
#include "client/history/stream_reader.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t buffered = std::size_t{256} * 1024;  // bytes before they are written

// Last packets without a result of theirs: of tests that nobody takes for any.
constexpr std::size_t most_last = 16;

using protocol::TestStatus;

std::vector<std::string> tags_of(Worker worker, const TestReport* report) {
  std::vector<std::string> tags{std::string(worker_tag) + std::to_string(worker)};
  if (report == nullptr) return tags;
  if (report->will_retry) tags.emplace_back(retried_tag);
  if (report->attempt > 1 && report->status == TestStatus::success) tags.emplace_back(flaky_tag);
  return tags;
}

}  // namespace

Expected<StreamWriter> StreamWriter::create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return tl::unexpected(system_error("write " + path, errno));
  return StreamWriter(path, fd);
}

StreamWriter::StreamWriter(StreamWriter&& other) noexcept
    : m_path(std::move(other.m_path)),
      m_fd(std::exchange(other.m_fd, -1)),
      m_errno(other.m_errno),
      m_size(other.m_size),
      m_buffer(std::move(other.m_buffer)),
      m_last(std::move(other.m_last)) {}

StreamWriter::~StreamWriter() {
  if (m_fd < 0) return;
  flush();
  close(m_fd);
}

void StreamWriter::append(protocol::ByteView bytes) {
  m_buffer.insert(m_buffer.end(), bytes.begin(), bytes.end());
  m_size += bytes.size();
  if (m_buffer.size() >= buffered) flush();
}

void StreamWriter::flush() {
  if (m_errno == 0) m_errno = write_all(m_fd, m_buffer);
  m_buffer.clear();
}

Expected<void> StreamWriter::finish() {
  flush();
  if (m_errno != 0) return tl::unexpected(system_error("write " + m_path, m_errno));
  struct stat ours {};
  struct stat there {};
  if (fstat(m_fd, &ours) == 0 && stat(m_path.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
      ours.st_dev == there.st_dev)
    return {};
  return tl::unexpected(Error{"write " + m_path, "it was removed while the run went on",
                              "the run's results are lost; those of the next one will be kept"});
}

void StreamWriter::append_tagged(const protocol::PacketView& view, Worker worker,
                                 const TestReport* report) {
  const auto more = tags_of(worker, report);
  std::vector<std::string_view> tags(view.tags.begin(), view.tags.end());
  tags.insert(tags.end(), more.begin(), more.end());
  protocol::Packet packet;
  packet.status = view.status;
  packet.runnable = view.runnable;
  packet.test_id = view.test_id;
  packet.route_code = view.route_code;
  packet.timestamp = view.timestamp;
  packet.tags = tags;
  packet.mime_type = view.mime_type;
  packet.file_name = view.file_name;
  packet.file_content = view.file_content;
  packet.eof = view.eof;
  protocol::Bytes bytes;
  // Several packets, where the tags make it too long for one.
  if (protocol::encode_file(packet, bytes))
    append(bytes);
  else
    append(view.wire);
}

void StreamWriter::on_packet(Worker worker, const protocol::PacketView& packet) {
  if (packet.status == TestStatus::undefined || !packet.test_id) {
    append(packet.wire);
  } else if (packet.status <= TestStatus::inprogress) {
    append_tagged(packet, worker, nullptr);
  } else {
    if (m_last.size() >= most_last) m_last.clear();  // of nobody's tests
    m_last[{worker, std::string(*packet.test_id)}].assign(packet.wire.begin(), packet.wire.end());
  }
}

void StreamWriter::on_result(const TestReport& report) {
  const auto last = m_last.find({report.worker, report.id});
  if (last == m_last.end()) {
    append_made(report);
    return;
  }
  protocol::PacketDecoder decoder;
  decoder.feed(last->second);
  const auto event = decoder.next();
  if (const auto* packet = event ? std::get_if<protocol::PacketView>(&*event) : nullptr)
    append_tagged(*packet, report.worker, &report);
  m_last.erase(last);
}

// A result that came without its packets.
void StreamWriter::append_made(const TestReport& report) {
  protocol::Bytes bytes;
  for (const auto& attachment : report.attachments) {
    protocol::Packet packet;
    packet.test_id = report.id;
    packet.file_name = attachment.name;
    if (!attachment.mime_type.empty()) packet.mime_type = attachment.mime_type;
    packet.file_content = protocol::as_bytes(attachment.text);
    packet.eof = true;
    static_cast<void>(protocol::encode_file(packet, bytes));  // one that cannot be said is left out
  }
  append(bytes);
  protocol::PacketView last;
  last.status = report.status;
  last.test_id = report.id;
  last.timestamp = report.ended_at;
  append_tagged(last, report.worker, &report);
}

}  // namespace hearth::client
