#include "server/elf_file.hpp"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace hearth::server {
namespace {

constexpr std::size_t max_segments = 128;
constexpr std::size_t max_note_segments = 16;
constexpr std::uint64_t max_notes = 16 * 1024;  // bytes of a segment that are looked at
constexpr std::uint64_t max_dynamic = 32 * 1024;
constexpr std::uint64_t max_strings = std::uint64_t{64} << 20;

struct Elf32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  using Dynamic = Elf32_Dyn;
  static constexpr unsigned char file_class = ELFCLASS32;
};
struct Elf64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  using Dynamic = Elf64_Dyn;
  static constexpr unsigned char file_class = ELFCLASS64;
};

template <typename T>
std::optional<T> read_one(const ByteSource& file, std::uint64_t offset) {
  T value;
  if (!file.read(offset, std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
  return value;
}

// Empty where not all of it is there.
std::vector<std::byte> read_bytes(const ByteSource& file, std::uint64_t offset,
                                  std::uint64_t size) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  if (!bytes.empty() && !file.read(offset, bytes)) bytes.clear();
  return bytes;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t aligned(std::size_t size, std::size_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

// The GNU build id among the notes of one segment.
std::string build_id_in(std::span<const std::byte> notes, std::size_t alignment) {
  using namespace std::string_view_literals;
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;  // the same in both classes
    std::memcpy(&note, notes.data(), sizeof note);
    const auto rest = notes.subspan(sizeof note);
    if (note.n_namesz > rest.size() || note.n_descsz > rest.size()) return {};
    const std::size_t name = aligned(note.n_namesz, 4);
    const std::size_t description = aligned(sizeof note + name, alignment) - sizeof note;
    if (description > rest.size() || note.n_descsz > rest.size() - description) return {};
    if (note.n_type == NT_GNU_BUILD_ID && text_of(rest.first(note.n_namesz)) == "GNU\0"sv &&
        note.n_descsz <= max_build_id) {
      return std::string(text_of(rest.subspan(description, note.n_descsz)));
    }
    const std::size_t end = aligned(sizeof note + description + note.n_descsz, alignment);
    if (end > notes.size()) return {};
    notes = notes.subspan(end);
  }
  return {};
}

template <typename Elf>
class Reader {
 public:
  using Segment = typename Elf::Segment;
  using Dynamic = typename Elf::Dynamic;

  explicit Reader(const ByteSource& file) : m_file(file) { read_segments(); }

  [[nodiscard]] std::string build_id() const {
    std::size_t looked_at = 0;
    for (const Segment& segment : m_segments) {
      if (segment.p_type != PT_NOTE) continue;
      if (++looked_at > max_note_segments) break;
      const auto size = std::min<std::uint64_t>(segment.p_filesz, max_notes);
      std::string id =
          build_id_in(read_bytes(m_file, segment.p_offset, size), segment.p_align == 8 ? 8 : 4);
      if (!id.empty()) return id;
    }
    return {};
  }

  [[nodiscard]] std::string soname() const {
    std::optional<std::uint64_t> name;
    std::optional<std::uint64_t> strings;
    std::uint64_t strings_size = 0;
    for (const Dynamic& entry : dynamic_entries()) {
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_SONAME) name = entry.d_un.d_val;
      if (entry.d_tag == DT_STRTAB) strings = file_offset(entry.d_un.d_ptr);
      if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
    }
    if (!name || !strings || *name >= strings_size) return {};
    if (*name > std::numeric_limits<std::uint64_t>::max() - *strings) return {};
    const auto size = std::min<std::uint64_t>(strings_size - *name, max_soname + 1);
    const auto bytes = read_bytes(m_file, *strings + *name, size);
    const std::size_t end = text_of(bytes).find('\0');
    return end == std::string_view::npos ? std::string()
                                         : std::string(text_of(bytes).substr(0, end));
  }

  [[nodiscard]] std::optional<ElfShape> shape() const {
    if (!m_header) return std::nullopt;
    ElfShape shape;
    const auto entries = dynamic_entries();
    shape.kind = kind(entries);
    for (const bool executed : {false, true}) {
      for (const Segment& one : m_segments) {
        if (one.p_type == PT_LOAD && ((one.p_flags & PF_X) != 0) == executed)
          shape.loaded.push_back({one.p_offset, one.p_filesz});
      }
    }
    const std::string strings = dynamic_strings(entries);
    bool has_runpath = false;
    for (const Dynamic& entry : entries) {
      if (entry.d_tag == DT_NULL) break;
      const bool named =
          entry.d_tag == DT_NEEDED || entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
      if (!named) continue;
      const std::size_t end = strings.find('\0', entry.d_un.d_val);
      if (end == std::string::npos || shape.needed.size() == max_needed) return std::nullopt;
      std::string name = strings.substr(entry.d_un.d_val, end - entry.d_un.d_val);
      if (entry.d_tag == DT_NEEDED)
        shape.needed.push_back(std::move(name));
      else if (entry.d_tag == DT_RUNPATH || !has_runpath)
        shape.search_path = std::move(name);
      has_runpath = has_runpath || entry.d_tag == DT_RUNPATH;
    }
    return shape;
  }

 private:
  // A program that can be at any address is a shared object too, with an interpreter or a flag.
  [[nodiscard]] ElfShape::Kind kind(const std::vector<Dynamic>& entries) const {
    using Kind = ElfShape::Kind;
    if (m_header->e_type == ET_REL) return Kind::object;
    if (m_header->e_type == ET_CORE) return Kind::core;
    if (m_header->e_type == ET_EXEC) return Kind::program;
    if (m_header->e_type != ET_DYN) return Kind::other;
    const bool interpreted =
        std::any_of(m_segments.begin(), m_segments.end(),
                    [](const Segment& one) { return one.p_type == PT_INTERP; });
    const bool flagged = std::any_of(entries.begin(), entries.end(), [](const Dynamic& entry) {
      return entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0;
    });
    if (interpreted || flagged) return Kind::program;
    const bool named = std::any_of(entries.begin(), entries.end(),
                                   [](const Dynamic& entry) { return entry.d_tag == DT_SONAME; });
    return named || m_header->e_entry == 0 ? Kind::library : Kind::other;
  }

  // All of them, where they are not too many.
  [[nodiscard]] std::string dynamic_strings(const std::vector<Dynamic>& entries) const {
    std::optional<std::uint64_t> strings;
    std::uint64_t size = 0;
    for (const Dynamic& entry : entries) {
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_STRTAB) strings = file_offset(entry.d_un.d_ptr);
      if (entry.d_tag == DT_STRSZ) size = entry.d_un.d_val;
    }
    std::string text;
    if (!strings || size > max_strings) return text;
    for (std::uint64_t at = 0; at < size; at += max_dynamic) {
      const auto part = std::min<std::uint64_t>(max_dynamic, size - at);
      const auto bytes = read_bytes(m_file, *strings + at, part);
      if (bytes.empty()) return {};
      text += text_of(bytes);
    }
    return text;
  }

  void read_segments() {
    const auto& header = m_header = read_one<typename Elf::Header>(m_file, 0);
    if (!header || header->e_phentsize != sizeof(Segment) || header->e_phnum == 0 ||
        header->e_phnum > max_segments)
      return;
    m_segments.resize(header->e_phnum);
    if (!m_file.read(header->e_phoff, std::as_writable_bytes(std::span(m_segments))))
      m_segments.clear();
  }

  [[nodiscard]] std::vector<Dynamic> dynamic_entries() const {
    const auto segment = std::find_if(m_segments.begin(), m_segments.end(),
                                      [](const Segment& one) { return one.p_type == PT_DYNAMIC; });
    if (segment == m_segments.end()) return {};
    std::vector<Dynamic> entries(static_cast<std::size_t>(
        std::min<std::uint64_t>(segment->p_filesz, max_dynamic) / sizeof(Dynamic)));
    if (!entries.empty() &&
        !m_file.read(segment->p_offset, std::as_writable_bytes(std::span(entries))))
      entries.clear();
    return entries;
  }

  // Of what is at the address once the file is loaded.
  [[nodiscard]] std::optional<std::uint64_t> file_offset(std::uint64_t address) const {
    for (const Segment& one : m_segments) {
      if (one.p_type != PT_LOAD || address < one.p_vaddr || address - one.p_vaddr >= one.p_filesz)
        continue;
      const std::uint64_t within = address - one.p_vaddr;
      if (within > std::numeric_limits<std::uint64_t>::max() - one.p_offset) return std::nullopt;
      return one.p_offset + within;
    }
    return std::nullopt;
  }

  const ByteSource& m_file;
  std::optional<typename Elf::Header> m_header;
  std::vector<Segment> m_segments;
};

template <typename Elf>
ElfNames names_in(const ByteSource& file) {
  const Reader<Elf> reader(file);
  return {reader.build_id(), reader.soname()};
}

}  // namespace

bool FileBytes::read(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) return false;
    const ssize_t got = pread(m_fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

// The class of a file of our byte order.
std::optional<unsigned char> class_of(const ByteSource& file) {
  constexpr unsigned char ours =
      std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  unsigned char ident[EI_NIDENT];
  if (!file.read(0, std::as_writable_bytes(std::span(ident)))) return std::nullopt;
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_DATA] != ours) return std::nullopt;
  return ident[EI_CLASS];
}

ElfNames read_elf_names(const ByteSource& file) {
  const auto its_class = class_of(file);
  if (its_class == Elf64::file_class) return names_in<Elf64>(file);
  if (its_class == Elf32::file_class) return names_in<Elf32>(file);
  return {};
}

std::optional<ElfShape> read_elf_shape(const ByteSource& file) {
  const auto its_class = class_of(file);
  if (its_class == Elf64::file_class) return Reader<Elf64>(file).shape();
  if (its_class == Elf32::file_class) return Reader<Elf32>(file).shape();
  return std::nullopt;
}

}  // namespace hearth::server
