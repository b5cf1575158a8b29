#include "zygote/coverage_objects.hpp"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

// Null, or of the object that this is linked into.
extern "C" {
__attribute__((weak)) void __gcov_exit();  // GCC
__attribute__((weak)) void __gcov_dump();  // clang; GCC where the program calls it
}

namespace hearth::zygote::coverage {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

constexpr unsigned char native_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

// A file, mapped. What it says is not trusted: another may have taken the loaded one's place.
class ElfFile {
 public:
  explicit ElfFile(const char* path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat status {};
    if (fstat(file, &status) == 0 && status.st_size > 0) {
      void* const mapped =
          mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
      if (mapped != MAP_FAILED)
        m_bytes = {static_cast<const char*>(mapped), static_cast<std::size_t>(status.st_size)};
    }
    close(file);
  }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;
  ~ElfFile() {
    if (!m_bytes.empty()) munmap(const_cast<char*>(m_bytes.data()), m_bytes.size());
  }

  [[nodiscard]] bool is_of(const dl_phdr_info& loaded) const {
    const Header* const header = at<Header>(0, 1);
    if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != native_class || header->e_phnum != loaded.dlpi_phnum) {
      return false;
    }
    const Segment* const segments = at<Segment>(header->e_phoff, header->e_phnum);
    return segments != nullptr &&
           std::memcmp(segments, loaded.dlpi_phdr, sizeof(Segment) * loaded.dlpi_phnum) == 0;
  }

  // Calls take(name, section) for each.
  template <typename Take>
  void for_sections(const Take& take) const {
    const Header& header = *at<Header>(0, 1);
    const Section* const first = at<Section>(header.e_shoff, 1);
    if (header.e_shoff == 0 || first == nullptr) return;
    const std::size_t count = header.e_shnum != 0 ? header.e_shnum : first->sh_size;
    const std::size_t names = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : first->sh_link;
    m_sections = at<Section>(header.e_shoff, count);
    m_section_count = m_sections == nullptr ? 0 : count;
    for (std::size_t i = 0; i < m_section_count; ++i)
      take(string_at(names, m_sections[i].sh_name), m_sections[i]);
  }

  // Only from within for_sections, or after it.
  [[nodiscard]] std::string_view content(const Section& section) const {
    const char* const bytes = at<char>(section.sh_offset, section.sh_size);
    return bytes == nullptr ? std::string_view()
                            : std::string_view(bytes, static_cast<std::size_t>(section.sh_size));
  }
  [[nodiscard]] const Section* section(std::size_t index) const {
    return index < m_section_count ? m_sections + index : nullptr;
  }

 private:
  template <typename T>
  [[nodiscard]] const T* at(std::uint64_t offset, std::uint64_t count) const {
    if (offset > m_bytes.size() || count > (m_bytes.size() - offset) / sizeof(T) ||
        offset % alignof(T) != 0) {
      return nullptr;
    }
    return reinterpret_cast<const T*>(m_bytes.data() + offset);
  }

  [[nodiscard]] std::string_view string_at(std::size_t table, std::size_t offset) const {
    const Section* const strings = section(table);
    if (strings == nullptr) return {};
    const std::string_view all = content(*strings);
    if (offset >= all.size()) return {};
    return all.substr(offset, all.substr(offset).find('\0'));
  }

  std::string_view m_bytes;
  mutable const Section* m_sections = nullptr;
  mutable std::size_t m_section_count = 0;
};

bool has_room(const dl_phdr_info& loaded, std::uintptr_t address, std::size_t size) {
  for (int i = 0; i < loaded.dlpi_phnum; ++i) {
    const Segment& segment = loaded.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr || size > segment.p_memsz) continue;
    if (address - segment.p_vaddr <= segment.p_memsz - size) return true;
  }
  return false;
}

bool is_where_this_is(const dl_phdr_info& loaded) {
  const auto here = reinterpret_cast<std::uintptr_t>(&has_room);
  return has_room(loaded, here - loaded.dlpi_addr, 1);
}

bool starts_with(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

Place place_of(const dl_phdr_info& loaded) {
  return {loaded.dlpi_addr, loaded.dlpi_phdr};
}

// One object's file, read.
class Reader {
 public:
  Reader(const dl_phdr_info& loaded, const ElfFile& file) : m_loaded(loaded), m_file(file) {
    m_object.place = place_of(loaded);
  }

  // False: it is not instrumented.
  bool read() {
    const Section* symbols = nullptr;
    const Section* dynamic_symbols = nullptr;
    m_file.for_sections([&](std::string_view name, const Section& section) {
      if (section.sh_type == SHT_SYMTAB) symbols = &section;
      if (section.sh_type == SHT_DYNSYM) dynamic_symbols = &section;
      if (name == "__llvm_prf_cnts") add(section.sh_addr, section.sh_size, Merge::sum);
      if (name == "__llvm_prf_bits") add(section.sh_addr, section.sh_size, Merge::any);
    });
    m_is_llvm = !m_object.counters.empty();
    const bool is_gcov = uses_gcov(symbols, dynamic_symbols);
    if (!m_is_llvm && !is_gcov) return false;
    if (symbols != nullptr) read_symbols(*symbols);
    if (m_is_llvm) look_at_llvm();
    sort_counters();
    m_is_blind = is_gcov && !m_has_gcov_counters;
    return true;
  }

  [[nodiscard]] bool is_blind() const { return m_is_blind; }
  Object& object() { return m_object; }

 private:
  // A library with the adapter in it names gcov's functions without having them.
  [[nodiscard]] bool uses_gcov(const Section* symbols, const Section* dynamic_symbols) const {
    if (is_where_this_is(m_loaded)) return __gcov_exit != nullptr || __gcov_dump != nullptr;
    return defines_gcov(dynamic_symbols) || defines_gcov(symbols);
  }

  // A table is gone through only if the name is in it at all: a large program has a million
  // symbols.
  [[nodiscard]] bool defines_gcov(const Section* table) const {
    constexpr std::string_view prefix = "__gcov_";
    const Section* const strings = table == nullptr ? nullptr : m_file.section(table->sh_link);
    if (strings == nullptr) return false;
    const std::string_view names = m_file.content(*strings);
    if (names.find(prefix) == std::string_view::npos) return false;
    bool found = false;
    for_defined(*table, names, [&](const Symbol&, std::string_view name) {
      found = found || starts_with(name, prefix);
    });
    return found;
  }

  template <typename Take>
  void for_defined(const Section& table, std::string_view names, Take take) const {
    const std::string_view bytes = m_file.content(table);
    for (std::size_t i = 0; i + sizeof(Symbol) <= bytes.size(); i += sizeof(Symbol)) {
      Symbol symbol;
      std::memcpy(&symbol, bytes.data() + i, sizeof symbol);
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.size()) continue;
      take(symbol, names.substr(symbol.st_name));
    }
  }

  void add(std::uint64_t address, std::uint64_t size, Merge merge) {
    if (size == 0 || !has_room(m_loaded, address, size)) return;
    m_object.counters.push_back({pointer<char>(address), static_cast<std::size_t>(size), merge});
  }

  template <typename T>
  [[nodiscard]] T* pointer(std::uint64_t address) const {
    return reinterpret_cast<T*>(m_loaded.dlpi_addr + address);
  }

  template <typename Function>
  void set(Function*& function, std::uint64_t address) const {
    function = reinterpret_cast<Function*>(m_loaded.dlpi_addr + address);
  }

  void read_symbols(const Section& table) {
    const Section* const strings = m_file.section(table.sh_link);
    if (strings == nullptr) return;
    for_defined(table, m_file.content(*strings), [&](const Symbol& symbol, std::string_view name) {
      if (!starts_with(name, "lprof") && !starts_with(name, "__gcov") &&
          !starts_with(name, "__llvm_") && !starts_with(name, "llvm_")) {
        return;
      }
      const std::string_view whole = name.substr(0, name.find('\0'));
      const auto type = symbol.st_info & 0xf;
      if (type == STT_FUNC) {
        read_function(whole, symbol.st_value);
      } else if (type == STT_OBJECT || type == STT_NOTYPE) {
        read_variable(whole, symbol.st_value, symbol.st_size);
      }
    });
  }

  void read_function(std::string_view name, std::uint64_t address) {
    if (!has_room(m_loaded, address, 1)) return;
    // clang's __gcov_dump writes other objects' counts as well, where it is not alone.
    if (name == "llvm_writeout_files") {
      set(m_object.gcov_dump, address);
    } else if ((name == "__gcov_exit" || name == "__gcov_dump") && m_object.gcov_dump == nullptr) {
      set(m_object.gcov_dump, address);
    } else if (name == "__llvm_profile_write_file") {
      set(m_object.llvm_write, address);
    } else if (name == "__llvm_profile_get_filename") {
      set(m_object.llvm_file_name, address);
    } else if (name == "__llvm_profile_get_size_for_buffer") {
      set(m_object.llvm_size, address);
    } else if (name == "__llvm_profile_check_compatibility") {
      set(m_object.llvm_compatible, address);
    } else if (name == "__llvm_profile_merge_from_buffer") {
      set(m_object.llvm_merge, address);
    } else if (name == "lprofSetProfileDumped") {
      set(m_object.llvm_set_written, address);
    } else if (name == "__llvm_profile_is_continuous_mode_enabled") {
      set(m_is_continuous, address);
    }
    if (name == "__gcov_exit" || name == "llvm_writeout_and_clear") {
      m_object.has_destructor = true;
      set(m_object.gcov_end, address);
    }
  }

  void read_variable(std::string_view name, std::uint64_t address, std::uint64_t size) {
    if (starts_with(name, "__llvm_gcov_ctr")) return add_gcov(address, size, Merge::sum);
    if (starts_with(name, "__gcov")) return read_gcov_counters(name, address, size);
    if (!has_room(m_loaded, address, sizeof(std::uint64_t))) return;
    if (name == "__llvm_profile_counter_bias") m_bias = pointer<const std::intptr_t>(address);
    if (name == "__llvm_profile_counter_bias_default")
      m_default_bias = pointer<const std::intptr_t>(address);
    if (name == "__llvm_profile_bitmap_bias") m_bitmap_bias = pointer<const std::intptr_t>(address);
    if (name == "__llvm_profile_raw_version") m_version = pointer<const std::uint64_t>(address);
    if (name == "__llvm_profile_filename")
      m_object.llvm_built_in_name = pointer<const char>(address);
  }

  // The kinds are those of gcov-counter.def. Lists of the most frequent values, and times, are of
  // no use to coverage.
  void read_gcov_counters(std::string_view name, std::uint64_t address, std::uint64_t size) {
    const std::size_t dot = name.find('.');
    if (dot != 7) return;
    switch (name[6]) {
      case '0':  // arcs
      case '1':  // intervals
      case '2':  // powers of two
      case '5':  // averages
        return add_gcov(address, size, Merge::sum);
      case '6':  // bits seen
      case '8':  // conditions
      case '9':  // paths
        return add_gcov(address, size, Merge::any);
      default:
        return;
    }
  }

  void add_gcov(std::uint64_t address, std::uint64_t size, Merge merge) {
    add(address, size, merge);
    m_has_gcov_counters = true;
  }

  // A function's counters may have several names; neighbours become one.
  void sort_counters() {
    std::vector<Counters>& all = m_object.counters;
    std::sort(all.begin(), all.end(),
              [](const Counters& a, const Counters& b) { return a.begin < b.begin; });
    std::vector<Counters> kept;
    for (const Counters& next : all) {
      const char* const end = kept.empty() ? nullptr : kept.back().begin + kept.back().size;
      if (end != nullptr && next.begin < end) continue;
      if (next.begin == end && next.merge == kept.back().merge) {
        kept.back().size += next.size;
      } else {
        kept.push_back(next);
      }
    }
    all.swap(kept);
  }

  void look_at_llvm() {
    constexpr std::uint64_t single_bytes = std::uint64_t{1} << 60;
    if (m_version != nullptr && (*m_version & single_bytes) != 0) {
      for (Counters& counters : m_object.counters) {
        if (counters.merge == Merge::sum) counters.merge = Merge::any_zero;
      }
    }
    m_object.is_mapped_file = m_is_continuous != nullptr && m_is_continuous() != 0;
    if (!m_object.is_mapped_file) return;
    for (Counters& counters : m_object.counters) {
      const std::intptr_t* const bias = counters.merge == Merge::any ? m_bitmap_bias : m_bias;
      if (bias != nullptr && bias != m_default_bias) counters.begin += *bias;
    }
  }

  const dl_phdr_info& m_loaded;
  const ElfFile& m_file;
  Object m_object;
  bool m_is_llvm = false;
  bool m_has_gcov_counters = false;
  bool m_is_blind = false;
  int (*m_is_continuous)() = nullptr;
  const std::intptr_t* m_bias = nullptr;
  const std::intptr_t* m_default_bias = nullptr;
  const std::intptr_t* m_bitmap_bias = nullptr;
  const std::uint64_t* m_version = nullptr;
};

struct Found {
  std::vector<Place>& seen;
  std::vector<Object>& objects;
  std::string& complaint;
};

int look_at(dl_phdr_info* loaded, std::size_t, void* context) {
  Found& found = *static_cast<Found*>(context);
  const Place place = place_of(*loaded);
  if (std::find(found.seen.begin(), found.seen.end(), place) != found.seen.end()) return 0;
  found.seen.push_back(place);
  const bool is_executable = loaded->dlpi_name == nullptr || *loaded->dlpi_name == '\0';
  const ElfFile file(is_executable ? "/proc/self/exe" : loaded->dlpi_name);
  if (!file.is_of(*loaded)) return 0;
  Reader reader(*loaded, file);
  if (!reader.read()) return 0;
  if (reader.is_blind()) {
    found.complaint +=
        std::string("hearth: coverage is lost: ") +
        (is_executable ? "this program" : loaded->dlpi_name) +
        " is built for gcov, but its symbols are stripped, and what tests execute of "
        "it is not counted; link it without -s, and do not strip it\n";
  }
  found.objects.push_back(std::move(reader.object()));
  return 0;
}

int count(dl_phdr_info* loaded, std::size_t, void* context) {
  *static_cast<unsigned long long*>(context) = loaded->dlpi_adds;
  return 1;
}

struct Taker {
  void (*take)(const Place&, void*);
  void* context;
};

int take_one(dl_phdr_info* loaded, std::size_t, void* context) {
  const Taker& taker = *static_cast<Taker*>(context);
  taker.take(place_of(*loaded), taker.context);
  return 0;
}

}  // namespace

std::vector<Object> find_objects(std::vector<Place>& seen, std::string& complaint) {
  std::vector<Object> objects;
  Found found{seen, objects, complaint};
  dl_iterate_phdr(look_at, &found);
  return objects;
}

unsigned long long times_loaded() {
  unsigned long long times = 0;
  dl_iterate_phdr(count, &times);
  return times;
}

void for_loaded(void (*take)(const Place& place, void* context), void* context) {
  Taker taker{take, context};
  dl_iterate_phdr(take_one, &taker);
}

}  // namespace hearth::zygote::coverage
