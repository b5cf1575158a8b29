#include "process/title.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>

namespace hearth::process {
namespace {

struct Arguments {
  char* begin = nullptr;
  std::size_t size = 0;
};

// proc(5): arg_start and arg_end are the fields 48 and 49 of stat, where the state, after the
// name in parentheses, is the third.
Arguments arguments_in_memory() {
  std::ifstream file("/proc/self/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 48; ++field) fields >> skipped;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  if (!(fields >> begin >> end) || begin == 0 || end <= begin) return {};
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
