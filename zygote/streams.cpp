#include "zygote/streams.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <vector>

#include "zygote/only.hpp"
#include "zygote/private_memory.hpp"

// The tables of the two classes of file buffers, in whatever libstdc++ the program has; null in a
// program without one.
extern "C" {
__attribute__((weak)) extern const std::uintptr_t hearth_filebuf_table[] __asm__(
    "_ZTVSt13basic_filebufIcSt11char_traitsIcEE");
__attribute__((weak)) extern const std::uintptr_t hearth_wfilebuf_table[] __asm__(
    "_ZTVSt13basic_filebufIwSt11char_traitsIwEE");
}

namespace hearth::zygote {
namespace {

#ifdef __GLIBCXX__

constexpr std::size_t before_first_function = 2;  // words of a table: an object points behind them

template <typename Char>
using FileBuffer = std::basic_filebuf<Char>;

template <typename Char>
std::vector<FileBuffer<Char>*>& found() {
  return only<std::vector<FileBuffer<Char>*>>(sizeof(Char) == 1 ? "streams" : "wide streams");
}

// The object's protected members, by the language's rule for pointers to members. What only looks
// like a stream (memory that was freed) has no text in a buffer of its own.
template <typename Char>
struct Inside : FileBuffer<Char> {
  static bool holds_text(FileBuffer<Char>& stream) {
    const Char* const buffer = stream.*(&Inside::_M_buf);
    const std::size_t size = stream.*(&Inside::_M_buf_size);
    constexpr std::size_t largest = std::size_t{1} << 30;
    const Char* const begin = (stream.*base())();
    const Char* const end = (stream.*next())();
    return buffer != nullptr && size <= largest && begin == buffer && end > begin &&
           end <= buffer + size && stream.is_open();
  }

 private:
  using Pointer = Char* (std::basic_streambuf<Char>::*)() const;
  static Pointer base() { return &Inside::pbase; }
  static Pointer next() { return &Inside::pptr; }
};

std::uintptr_t first_function(const std::uintptr_t* table) {
  return table == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(table + before_first_function);
}

template <typename Char>
void flush_found(const std::uintptr_t* table) {
  for (FileBuffer<Char>* const stream : found<Char>()) {
    const auto* const word = reinterpret_cast<const std::uintptr_t*>(stream);
    if (*word == first_function(table) && Inside<Char>::holds_text(*stream)) stream->pubsync();
  }
}

std::int64_t cpu_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

__attribute__((no_sanitize("address", "thread"))) void look_through(std::uintptr_t begin,
                                                                    std::uintptr_t end) {
  const std::uintptr_t narrow = first_function(hearth_filebuf_table);
  const std::uintptr_t wide = first_function(hearth_wfilebuf_table);
  for (std::uintptr_t at = begin; at < end; at += sizeof(std::uintptr_t)) {
    const std::uintptr_t word = *reinterpret_cast<const volatile std::uintptr_t*>(at);
    if (word == 0) continue;
    if (word == narrow) found<char>().push_back(reinterpret_cast<std::filebuf*>(at));
    if (word == wide) found<wchar_t>().push_back(reinterpret_cast<std::wfilebuf*>(at));
  }
}

// Pages that were never touched are passed over: reading them would make them ours. False: the time
// is over.
bool look_through_present(const MemoryRange& range, std::int64_t until) {
  constexpr std::size_t pages_at_a_time = 16 * 1024;
  static unsigned char present[pages_at_a_time];
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (std::uintptr_t at = range.begin; at < range.end;) {
    if (cpu_nanoseconds() > until) return false;
    const std::size_t pages = std::min(pages_at_a_time, (range.end - at) / page);
    if (mincore(reinterpret_cast<void*>(at), pages * page, present) != 0) return true;
    for (std::size_t i = 0; i < pages; ++i, at += page) {
      if ((present[i] & 1) != 0 || range.of_file) look_through(at, at + page);
    }
  }
  return true;
}

// A sanitizer's shadow memory has terabytes, and no streams.
bool may_hold_streams(const MemoryRange& range) {
  constexpr std::uintptr_t largest = std::uintptr_t{1} << 36;
  return range.end - range.begin <= largest;
}

// valgrind takes a look at memory that is nobody's for an error.
bool is_under_valgrind() {
  const auto is_valgrinds = [](dl_phdr_info* module, std::size_t, void*) {
    return module->dlpi_name != nullptr && std::strstr(module->dlpi_name, "/vgpreload_") != nullptr
               ? 1
               : 0;
  };
  return dl_iterate_phdr(is_valgrinds, nullptr) != 0;
}

// Of the stack, the pages in use.
MemoryRange used_part(MemoryRange range) {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  if (here > range.begin && here < range.end) range.begin = here & ~(page - 1);
  return range;
}

#endif

}  // namespace

#ifdef __GLIBCXX__

// Modules' data first: it is small, and most streams that live as long as the program are there.
void find_file_streams() {
  if (hearth_filebuf_table == nullptr || is_under_valgrind()) return;
  found<char>().clear();
  found<wchar_t>().clear();
  constexpr std::int64_t least = 50'000'000;
  const std::int64_t begin = cpu_nanoseconds();
  const std::int64_t until = begin + std::max(least, begin / 4);
  std::vector<MemoryRange> ranges;
  for_private_memory([&](const MemoryRange& range) {
    if (may_hold_streams(range)) ranges.push_back(used_part(range));
  });
  std::stable_partition(ranges.begin(), ranges.end(),
                        [](const MemoryRange& range) { return range.of_file || range.is_stack; });
  for (const MemoryRange& range : ranges) {
    if (!look_through_present(range, until)) return;
  }
}

void flush_streams() {
  for (std::ostream* const stream : {&std::cout, &std::cerr, &std::clog}) stream->flush();
  for (std::wostream* const stream : {&std::wcout, &std::wcerr, &std::wclog}) stream->flush();
  flush_found<char>(hearth_filebuf_table);
  flush_found<wchar_t>(hearth_wfilebuf_table);
  std::fflush(nullptr);
}

#else

void find_file_streams() {}

void flush_streams() {
  for (std::ostream* const stream : {&std::cout, &std::cerr, &std::clog}) stream->flush();
  for (std::wostream* const stream : {&std::wcout, &std::wcerr, &std::wclog}) stream->flush();
  std::fflush(nullptr);
}

#endif

}  // namespace hearth::zygote
