// This process's private, writable memory, as /proc/self/maps has it.
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace hearth::zygote {

struct MemoryRange {
  std::uintptr_t begin;
  std::uintptr_t end;
  bool of_file;  // a module's data; else the heap, the stack, or an anonymous mapping
  bool is_stack;
};

// Calls take(const MemoryRange&) for each. What is mapped meanwhile may be left out.
template <typename Take>
void for_private_memory(const Take& take) {
  std::FILE* const maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return;
  char line[512];
  bool begins_line = true;
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    const bool is_mapping = begins_line;
    begins_line = std::strchr(line, '\n') != nullptr;  // else the rest is a long path's
    MemoryRange range{};
    char access[5] = "";
    unsigned long inode = 0;
    if (!is_mapping || std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*x %*x:%*x %lu",
                                   &range.begin, &range.end, access, &inode) != 4) {
      continue;
    }
    if (std::strcmp(access, "rw-p") != 0) continue;
    range.of_file = inode != 0;
    range.is_stack = std::strstr(line, "[stack]") != nullptr;
    take(range);
  }
  std::fclose(maps);
}

}  // namespace hearth::zygote
