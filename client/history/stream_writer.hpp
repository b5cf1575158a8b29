// The raw subunit v2 stream of a run, written as it happens: the packets as the servers sent them,
// with `worker-N` and what else is known in the tags of a test's start and end.
#pragma once

#include <map>
#include <string>

#include "client/run/events.hpp"
#include "protocol/error.hpp"

namespace hearth::client {

class StreamWriter {
 public:
  // A new file: there is none of that name.
  [[nodiscard]] static Expected<StreamWriter> create(const std::string& path);
  StreamWriter(StreamWriter&& other) noexcept;
  StreamWriter& operator=(StreamWriter&&) = delete;
  ~StreamWriter();

  void on_packet(Worker worker, const protocol::PacketView& packet);
  void on_result(const TestReport& report);
  // Hands what there is to the system.
  void flush();
  // Everything was written, and the file is still there.
  [[nodiscard]] Expected<void> finish();
  [[nodiscard]] std::size_t size() const { return m_size; }

 private:
  StreamWriter(std::string path, int fd) : m_path(std::move(path)), m_fd(fd) {}
  void append(protocol::ByteView bytes);
  void append_tagged(const protocol::PacketView& packet, Worker worker, const TestReport* report);
  void append_made(const TestReport& report);

  std::string m_path;
  int m_fd;
  int m_errno = 0;
  std::size_t m_size = 0;
  protocol::Bytes m_buffer;
  // The last packet of a test, until its result says what it was.
  std::map<std::pair<Worker, std::string>, protocol::Bytes> m_last;
};

}  // namespace hearth::client
