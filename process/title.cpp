#include "process/title.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "process/unique_fd.hpp"

namespace hearth::process {
namespace {

struct Arguments {
  char* begin = nullptr;
  std::size_t size = 0;
};

// proc(5): arg_start and arg_end are the fields 48 and 49 of stat, where the state, after the
// name in parentheses, is the third.
Arguments arguments_in_memory() {
  const UniqueFd file(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  char stat[2048];
  const ssize_t size = file ? read(file.get(), stat, sizeof stat - 1) : -1;
  if (size <= 0) return {};
  stat[size] = '\0';
  const char* at = std::strrchr(stat, ')');
  for (int field = 2; at != nullptr && field < 48; ++field) at = std::strchr(at + 1, ' ');
  if (at == nullptr) return {};
  char* rest = nullptr;
  const std::uintptr_t begin = std::strtoull(at, &rest, 10);
  const std::uintptr_t end = std::strtoull(rest, nullptr, 10);
  if (begin == 0 || end <= begin) return {};
  return {reinterpret_cast<char*>(begin), end - begin};
}

}  // namespace

void set_title(const std::string& name, const std::string& command_line) {
  prctl(PR_SET_NAME, name.c_str());
  const Arguments arguments = arguments_in_memory();
  if (arguments.size < 2) return;
  const std::size_t size = std::min(command_line.size(), arguments.size - 1);
  std::memset(arguments.begin, 0, arguments.size);
  std::memcpy(arguments.begin, command_line.data(), size);
}

}  // namespace hearth::process
