#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <vector>

#include "zygote/core.hpp"
#include "zygote/private_memory.hpp"

namespace hearth::zygote {
namespace {

#ifndef MADV_COLLAPSE
constexpr int MADV_COLLAPSE = 25;  // Linux 6.1
#endif
constexpr std::uintptr_t huge_page = 2u << 20;

// Anonymous, cut down to whole huge pages.
std::vector<MemoryRange> collapsible() {
  std::vector<MemoryRange> ranges;
  for_private_memory([&](MemoryRange range) {
    if (range.of_file || range.is_stack) return;
    range.begin = (range.begin + huge_page - 1) & ~(huge_page - 1);
    range.end &= ~(huge_page - 1);
    if (range.begin < range.end) ranges.push_back(range);
  });
  return ranges;
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

// A fork copies the page tables: 36 us for every MB in small pages, next to nothing in huge ones.
// Collapsing costs 2.6 ms a MB, once; it gets a quarter of the time that loading took, and 50 ms at
// least.
void collapse_memory() {
  const double begin = cpu_seconds();
  const double budget = begin / 4 < 0.05 ? 0.05 : begin / 4;
  for (const MemoryRange& range : collapsible()) {
    for (std::uintptr_t at = range.begin; at < range.end; at += huge_page) {
      // EINVAL: a kernel that cannot. Other errors are this one page's.
      if (madvise(reinterpret_cast<void*>(at), huge_page, MADV_COLLAPSE) != 0 && errno == EINVAL)
        return;
      if (cpu_seconds() - begin > budget) return;
    }
  }
}

}  // namespace hearth::zygote
