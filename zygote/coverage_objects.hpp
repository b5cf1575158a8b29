// The instrumented objects of this process (the executable, its shared libraries): where gcov and
// LLVM keep the counters, and the functions of their runtimes.
//
// Each object has a runtime of its own, all of whose symbols are hidden: nothing outside can name
// them, and a reference to one from here pulls nothing out of libgcov.a. So they are read from the
// symbol table and the section headers of the object's file. GCC calls the counters of a function
// `__gcov<kind>.<function>`, clang's --coverage `__llvm_gcov_ctr`; LLVM has them all in the section
// `__llvm_prf_cnts`. The layout of the runtimes' structures, which changes from version to version,
// is not used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hearth::zygote::coverage {

// How the counts of two processes become one.
enum class Merge {
  sum,       // 64-bit words
  any,       // bits: set once seen
  any_zero,  // bytes: 0 once seen, 255 before
};

struct Counters {
  char* begin;
  std::size_t size;
  Merge merge;
};

// What tells one object that is loaded from another.
struct Place {
  std::uintptr_t base = 0;
  const void* headers = nullptr;

  bool operator==(const Place& other) const {
    return base == other.base && headers == other.headers;
  }
};

struct Object {
  Place place;
  std::vector<Counters> counters;

  // gcov: null where the object has none. Merges with the files that are there.
  void (*gcov_dump)() = nullptr;
  void (*gcov_end)() = nullptr;  // the same, and nothing is written at exit any more
  bool has_destructor = false;   // which writes, and not an exit handler

  // LLVM
  int (*llvm_write)() = nullptr;
  const char* (*llvm_file_name)() = nullptr;
  std::uint64_t (*llvm_size)() = nullptr;
  int (*llvm_compatible)(const char*, std::uint64_t) = nullptr;  // 0: yes
  int (*llvm_merge)(const char*, std::uint64_t) = nullptr;
  void (*llvm_set_written)(unsigned) = nullptr;  // with 1: the runtime is not to write at exit
  const char* llvm_built_in_name = nullptr;      // of -fprofile-instr-generate=NAME
  bool is_mapped_file = false;                   // `%c`: the counters are the file
};

// Those that are not in `seen`, in no particular order; all that are loaded are put into it.
// `complaint` gets a sentence where one is instrumented and its counters cannot be found.
std::vector<Object> find_objects(std::vector<Place>& seen, std::string& complaint);

// How often something has been loaded in this process.
unsigned long long times_loaded();

// Calls take(place, context) for everything that is loaded. No memory is allocated.
void for_loaded(void (*take)(const Place& place, void* context), void* context);

}  // namespace hearth::zygote::coverage
