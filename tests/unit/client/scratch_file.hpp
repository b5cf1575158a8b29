// A file that is gone when the test is.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace hearth::client::test {

struct ScratchFile {
  std::string path = "/tmp/hearth-unit-XXXXXX";
  ScratchFile() { close(mkstemp(path.data())); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { unlink(path.c_str()); }
  [[nodiscard]] std::string content() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

}  // namespace hearth::client::test
