// Fuzz target: files that are asked for their build id and soname. Built by tests/fuzz/meson.build.
#include <cstring>
#include <string_view>

#include "server/elf_file.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace hearth::server;
using hearth::fuzz::require;

namespace {

class Input final : public ByteSource {
 public:
  explicit Input(std::span<const std::byte> bytes) : m_bytes(bytes) {}

  bool read(std::uint64_t offset, std::span<std::byte> into) const override {
    require(++m_reads < 40 && into.size() <= 64 * 1024, "reading is not bounded");
    if (offset > m_bytes.size() || into.size() > m_bytes.size() - offset) return false;
    std::memcpy(into.data(), m_bytes.data() + offset, into.size());
    return true;
  }

 private:
  std::span<const std::byte> m_bytes;
  mutable int m_reads = 0;
};

void check(std::span<const std::byte> bytes) {
  const ElfNames names = read_elf_names(Input(bytes));
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto shape = read_elf_shape(Input(bytes))) {
    require(shape->needed.size() <= max_needed, "too many libraries");
    for (const auto& name : shape->needed)
      require(all.find(name) != all.npos, "a library is not the file's");
  }
  require(names.build_id.size() <= max_build_id && names.soname.size() <= max_soname,
          "a name is too long");
  require(all.find(names.build_id) != all.npos && all.find(names.soname) != all.npos,
          "a name is not the file's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = hearth::fuzz::input(data, size);
  check(bytes);
  if (size > 0) check(bytes.subspan(1));
  return 0;
}
