// What an ELF file says of itself: its build id, the name under which programs ask for it, what it
// is and which libraries it names.
// Whatever the bytes are, reading ends after a bounded number of bounded reads; what is damaged or
// not there is empty.
//
// Format: System V ABI, chapters 4 and 5; PT_NOTE and NT_GNU_BUILD_ID: binutils' ld(1), --build-id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hearth::server {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // All of `into`, which is not empty, or false. Any offset may be asked for.
  [[nodiscard]] virtual bool read(std::uint64_t offset, std::span<std::byte> into) const = 0;
};

// A file, by descriptor. It is not owned.
class FileBytes final : public ByteSource {
 public:
  explicit FileBytes(int fd) : m_fd(fd) {}
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  int m_fd;
};

struct ElfNames {
  std::string build_id;  // bytes, at most max_build_id; empty: none
  std::string soname;    // empty: none
};

inline constexpr std::size_t max_build_id = 64;
inline constexpr std::size_t max_soname = 255;

// Of this machine's byte order, 32 or 64 bits; anything else has no names.
[[nodiscard]] ElfNames read_elf_names(const ByteSource& file);

// Bytes of a file.
struct ElfRange {
  std::uint64_t offset;
  std::uint64_t size;
};

struct ElfShape {
  enum class Kind : std::uint8_t { program, library, object, core, other };
  Kind kind = Kind::other;
  std::vector<std::string> needed;  // libraries, at most max_needed
  std::string search_path;          // RUNPATH, or else RPATH; folders with a colon between them
  std::vector<ElfRange> loaded;     // into memory; those that are not executed come first
};

inline constexpr std::size_t max_needed = 500;

// nullopt: as above, it has no names; or there are more libraries than can be read.
[[nodiscard]] std::optional<ElfShape> read_elf_shape(const ByteSource& file);

}  // namespace hearth::server
