#include "server/elf_file.hpp"

#include <doctest/doctest.h>
#include <elf.h>
#include <fcntl.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "process/unique_fd.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace hearth::server;
using hearth::UniqueFd;
using hearth::test::TemporaryFolder;

namespace {

// Fails the test where more is asked for than the limits allow.
class TextBytes final : public ByteSource {
 public:
  explicit TextBytes(std::string_view text) : m_text(text) {}

  bool read(std::uint64_t offset, std::span<std::byte> into) const override {
    ++m_reads;
    REQUIRE(m_reads < 40);
    REQUIRE(into.size() <= 64 * 1024);
    if (offset > m_text.size() || into.size() > m_text.size() - offset) return false;
    std::memcpy(into.data(), m_text.data() + offset, into.size());
    return true;
  }

 private:
  std::string_view m_text;
  mutable int m_reads = 0;
};

ElfNames names_in(std::string_view text) {
  return read_elf_names(TextBytes(text));
}

template <typename T>
void append(std::string& file, const T& value) {
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Note {
  std::string name;  // with its NUL
  std::uint32_t type;
  std::string description;
};

const Note build_id{std::string("GNU\0", 4), NT_GNU_BUILD_ID, "0123456789abcdefghij"};
const Note property{std::string("GNU\0", 4), NT_GNU_PROPERTY_TYPE_0, std::string(16, 'p')};
const Note foreign{std::string("Foreign\0", 8), NT_GNU_BUILD_ID, "not this"};

std::string encode(const std::vector<Note>& notes, std::size_t alignment) {
  std::string bytes;
  const auto pad = [&](std::size_t to) { bytes.resize((bytes.size() + to - 1) / to * to); };
  for (const Note& note : notes) {
    append(bytes, Elf64_Nhdr{static_cast<Elf64_Word>(note.name.size()),
                             static_cast<Elf64_Word>(note.description.size()), note.type});
    bytes += note.name;
    pad(alignment);
    bytes += note.description;
    pad(alignment);
  }
  return bytes;
}

template <typename Header, typename Segment, typename Dynamic>
struct Made {
  static constexpr std::uint64_t base = 0x400000;  // address of the file's beginning, once loaded

  Header header{};
  std::vector<Segment> segments;
  std::string rest;  // behind the segments' headers

  static constexpr std::size_t places = 4;
  static constexpr std::size_t rest_at = sizeof(Header) + places * sizeof(Segment);

  Made() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = sizeof(Header) == sizeof(Elf64_Ehdr) ? ELFCLASS64 : ELFCLASS32;
    const std::uint16_t one = 1;
    header.e_ident[EI_DATA] = *reinterpret_cast<const char*>(&one) == 1 ? ELFDATA2LSB : ELFDATA2MSB;
    header.e_phoff = sizeof(Header);
    header.e_phentsize = sizeof(Segment);
    Segment load{};
    load.p_type = PT_LOAD;
    load.p_vaddr = base;
    load.p_filesz = 1 << 20;
    segments.push_back(load);
  }

  Segment& add(std::uint32_t type, const std::string& bytes, std::uint64_t align = 4) {
    Segment segment{};
    segment.p_type = type;
    segment.p_offset = static_cast<decltype(segment.p_offset)>(rest_at + rest.size());
    segment.p_filesz = static_cast<decltype(segment.p_filesz)>(bytes.size());
    segment.p_align = static_cast<decltype(segment.p_align)>(align);
    rest += bytes;
    segments.push_back(segment);
    return segments.back();
  }

  void add_soname(const std::string& soname) {
    const std::string strings = "other" + std::string(1, '\0') + soname + std::string(1, '\0');
    const std::uint64_t at = base + rest_at + rest.size();
    rest += strings;
    std::string dynamic;
    const auto entry = [&](std::int64_t tag, std::uint64_t value) {
      Dynamic one{};
      one.d_tag = static_cast<decltype(one.d_tag)>(tag);
      one.d_un.d_val = static_cast<decltype(one.d_un.d_val)>(value);
      append(dynamic, one);
    };
    entry(DT_SONAME, 6);
    entry(DT_STRTAB, at);
    entry(DT_STRSZ, strings.size());
    entry(DT_NULL, 0);
    entry(DT_SONAME, 0);  // behind the end
    add(PT_DYNAMIC, dynamic);
  }

  [[nodiscard]] std::string bytes() const {
    std::string file;
    Header with_count = header;
    if (with_count.e_phnum == 0) {
      with_count.e_phnum = static_cast<decltype(header.e_phnum)>(segments.size());
    }
    append(file, with_count);
    for (const Segment& segment : segments) append(file, segment);
    file.resize(rest_at);
    return file + rest;
  }
};
using Made64 = Made<Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn>;
using Made32 = Made<Elf32_Ehdr, Elf32_Phdr, Elf32_Dyn>;

template <typename Kind>
Kind library() {
  Kind made;
  made.add(PT_NOTE, encode({property}, 8), 8);
  made.add(PT_NOTE, encode({foreign, build_id}, 4));
  made.add_soname("libmade.so.1");
  return made;
}

std::string own_file() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE_TEMPLATE("Elf: a library's build id and soname, of either class", Kind, Made64, Made32) {
  const std::string file = library<Kind>().bytes();
  CHECK(names_in(file).build_id == build_id.description);
  CHECK(names_in(file).soname == "libmade.so.1");
}

TEST_CASE("Elf: a program that a linker has made") {
  const UniqueFd self(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const ElfNames by_descriptor = read_elf_names(FileBytes(self.get()));
  const ElfNames in_memory = names_in(own_file());
  CHECK(by_descriptor.build_id == in_memory.build_id);
  CHECK(in_memory.soname.empty());
}

TEST_CASE("Elf: what has no names") {
  CHECK(names_in("").build_id.empty());
  CHECK(names_in("#!/bin/sh\n").build_id.empty());
  Made64 without;
  without.add(PT_NOTE, encode({property, foreign}, 4));
  CHECK(names_in(without.bytes()).build_id.empty());
  CHECK(names_in(without.bytes()).soname.empty());
  Made64 other_order = library<Made64>();
  other_order.header.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
  CHECK(names_in(other_order.bytes()).build_id.empty());
  Made64 other_class = library<Made64>();
  other_class.header.e_ident[EI_CLASS] = 7;
  CHECK(names_in(other_class.bytes()).build_id.empty());
}

TEST_CASE("Elf: notes of 8-byte alignment") {
  Made64 made;
  Note odd = build_id;
  odd.description = "12345";
  made.add(PT_NOTE, encode({property, odd}, 8), 8);
  CHECK(names_in(made.bytes()).build_id == "12345");
}

TEST_CASE("Elf: cut off anywhere, it has the right names or none") {
  const std::string file = library<Made64>().bytes();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const ElfNames names = names_in(std::string_view(file).substr(0, size));
    CHECK((names.build_id.empty() || names.build_id == build_id.description));
    CHECK((names.soname.empty() || names.soname == "libmade.so.1"));
  }
  // A name is a name only with its end.
  CHECK(names_in(std::string_view(file).substr(0, file.find("libmade"))).soname.empty());
}

TEST_CASE("Elf: any byte of the headers set to any of the extremes") {
  for (const std::string& file :
       {library<Made64>().bytes(), library<Made32>().bytes(), own_file()}) {
    std::string damaged = file.substr(0, 4096);
    for (std::size_t at = 0; at < damaged.size(); ++at) {
      for (const char value : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
        const char before = std::exchange(damaged[at], value);
        const ElfNames names = names_in(damaged);
        CHECK(names.build_id.size() <= max_build_id);
        CHECK(names.soname.size() <= max_soname);
        damaged[at] = before;
      }
    }
  }
}

TEST_CASE("Elf: any field of the headers set to an extreme") {
  const std::string file = library<Made64>().bytes();
  for (std::size_t width : {2, 4, 8}) {
    for (std::size_t at = 0; at + width <= file.size(); at += width) {
      for (const int fill : {0x00, 0x7f, 0xff}) {
        std::string damaged = file;
        std::memset(damaged.data() + at, fill, width);
        CHECK(names_in(damaged).build_id.size() <= max_build_id);
      }
    }
  }
}

TEST_CASE("Elf: limits") {
  Made64 long_id;
  Note note = build_id;
  note.description = std::string(max_build_id, 'x');
  long_id.add(PT_NOTE, encode({note}, 4));
  CHECK(names_in(long_id.bytes()).build_id == note.description);

  Made64 longer_id;
  note.description += 'x';
  longer_id.add(PT_NOTE, encode({note}, 4));
  CHECK(names_in(longer_id.bytes()).build_id.empty());

  Made64 long_name;
  long_name.add_soname(std::string(max_soname, 'n'));
  CHECK(names_in(long_name.bytes()).soname == std::string(max_soname, 'n'));

  Made64 longer_name;
  longer_name.add_soname(std::string(max_soname + 1, 'n'));
  CHECK(names_in(longer_name.bytes()).soname.empty());

  Made64 many = library<Made64>();
  many.header.e_phnum = 129;
  std::string bytes = many.bytes();
  bytes.resize(64 * 1024);
  CHECK(names_in(bytes).build_id.empty());
}

TEST_CASE("Elf: an offset beyond what a file can have") {
  const UniqueFd self(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  std::byte byte{};
  CHECK_FALSE(FileBytes(self.get()).read(~std::uint64_t{0}, std::span(&byte, 1)));
  CHECK_FALSE(FileBytes(self.get()).read(std::uint64_t{1} << 62, std::span(&byte, 1)));
  CHECK(FileBytes(self.get()).read(0, std::span(&byte, 1)));
}
