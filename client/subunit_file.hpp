// The file of --subunit: the packets of the results, as they came from the server; and a `fail` for
// each test that has none, so that whoever reads the file knows.
#pragma once

#include <memory>
#include <string>

#include "client/run_model.hpp"
#include "protocol/error.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::client {

class SubunitFile {
 public:
  // `path`: a file, which is replaced, or "-" for stdout.
  [[nodiscard]] static Expected<SubunitFile> open(const std::string& path);
  SubunitFile(SubunitFile&& other) noexcept;
  SubunitFile& operator=(SubunitFile&&) = delete;
  ~SubunitFile();

  void write(protocol::ByteView packet);
  void write_missing(const MissingTest& test, std::string_view reason, protocol::Timestamp when);
  // Hands everything over to the system. False once anything could not be written; error() tells
  // why.
  bool flush();
  [[nodiscard]] Error error() const;

 private:
  SubunitFile(std::string path, int fd) : m_path(std::move(path)), m_fd(fd) {}

  std::string m_path;
  int m_fd;
  int m_errno = 0;
  protocol::Bytes m_buffer;
};

}  // namespace hearth::client
