#include "server/program_look.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "process/unique_fd.hpp"
#include "protocol/utf8.hpp"
#include "server/elf_file.hpp"

namespace hearth::server {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view adapter_mark = "HEARTH_CHANNEL";  // zygote/core.cpp asks for it
// What a program has that opens libraries by itself; CppUnit's runner of plug-ins, by CppUnit.
constexpr std::array<std::string_view, 3> openers{"dlopen", "dlmopen", "PlugInManager"};
constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::size_t most_libraries = 200;

struct Framework {
  std::string_view mark;  // names of its types or functions, which a program keeps when stripped
  std::string_view name;
  std::string_view module;  // of its adapter; empty: there is none
};
// The first that is found. GoogleTest comes last: GoogleMock is used beside other frameworks.
constexpr std::array<Framework, 7> frameworks{{
    {"N7doctest", "doctest", "hearth-doctest"},
    {"N5Catch", "Catch2", ""},
    {"N7CppUnit", "CppUnit", "hearth-cppunit"},
    {"N5boost9unit_test", "Boost.Test", ""},
    {"_ZN7testing8UnitTest", "GoogleTest", "hearth-googletest"},
    {"_ZN7testing8internal23MakeAndRegisterTestInfo", "GoogleTest", "hearth-googletest"},
    {"This program contains tests written using Google Test", "GoogleTest", "hearth-googletest"},
}};

class LoadedBytes {
 public:
  LoadedBytes(const ByteSource& file, const std::vector<ElfRange>& ranges)
      : m_file(file), m_ranges(ranges) {}

  // Calls `use` with all bytes, a piece at a time, each with the last `overlap` bytes of the one
  // before; until it gives true, which is given back.
  template <typename Use>
  bool any(std::size_t overlap, const Use& use) const {
    std::vector<std::byte> bytes;
    for (const ElfRange& range : m_ranges) {
      bytes.clear();
      for (std::uint64_t at = 0; at < range.size; at += piece) {
        const std::size_t kept = std::min(overlap, bytes.size());
        bytes.erase(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(kept));
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(piece, range.size - at));
        bytes.resize(kept + size);
        if (!m_file.read(range.offset + at, std::span(bytes).subspan(kept))) break;
        if (use(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())))
          return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool has(std::string_view mark) const {
    return any(mark.size() - 1,
               [&](std::string_view bytes) { return bytes.find(mark) != bytes.npos; });
  }

 private:
  const ByteSource& m_file;
  const std::vector<ElfRange>& m_ranges;
};

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view one) { return name.starts_with(one); });
}

// The system's own and the compiler's, which bring no adapter.
bool is_of_the_system(std::string_view name) {
  return begins_with_any(
      name,
      {"libc.so", "libm.so", "libstdc++.so", "libgcc_s.so", "libpthread.so", "libdl.so", "librt.so",
       "ld-linux", "ld64.so", "libc++.so", "libc++abi.so", "libatomic.so", "libasan.so",
       "liblsan.so", "libtsan.so", "libubsan.so", "libhwasan.so", "libclang_rt.", "libgcov.so"});
}

// They can open libraries, but do so for a program that asks them.
bool is_of_a_framework(std::string_view name) {
  return begins_with_any(name, {"libgtest", "libgmock", "libcppunit", "libCatch2",
                                "libboost_unit_test_framework", "libboost_test_exec_monitor"});
}

std::string variable(const std::vector<std::string>& environment, const std::string& name) {
  for (const std::string& one : environment)
    if (one.starts_with(name + '=')) return one.substr(name.size() + 1);
  const char* const value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

std::vector<std::string> split(std::string_view paths) {
  std::vector<std::string> parts;
  while (!paths.empty()) {
    const std::size_t end = std::min(paths.find(':'), paths.size());
    if (end != 0) parts.emplace_back(paths.substr(0, end));
    paths.remove_prefix(std::min(end + 1, paths.size()));
  }
  return parts;
}

std::vector<std::string> system_folders() {
  std::vector<std::string> folders{"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"};
  std::error_code ignored;
  for (fs::directory_iterator entry("/usr/lib", ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.find("-linux-gnu") == std::string::npos) continue;
    folders.push_back("/usr/lib/" + name);
    folders.push_back("/usr/local/lib/" + name);
  }
  return folders;
}

// Whether libraries that a file names bring the adapter, or may.
class Libraries {
 public:
  explicit Libraries(const std::vector<std::string>& environment)
      : m_given(split(variable(environment, "LD_LIBRARY_PATH"))) {}

  [[nodiscard]] bool may_bring_adapter(const std::string& path, const ElfShape& shape) {
    for (const std::string& name : shape.needed) {
      if (is_of_the_system(name) || !m_seen.insert(name).second) continue;
      if (m_seen.size() > most_libraries) return true;
      const auto library = find(name, path, shape);
      if (!library || look_at(*library, name)) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] std::optional<std::string> find(const std::string& name, const std::string& path,
                                                const ElfShape& shape) {
    if (name.find('/') != std::string::npos) return std::nullopt;
    std::vector<std::string> folders = split(shape.search_path);
    for (std::string& folder : folders) {
      for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"}) {
        const std::size_t at = folder.find(origin);
        if (at != std::string::npos)
          folder.replace(at, origin.size(), fs::path(path).parent_path().string());
      }
    }
    folders.insert(folders.end(), m_given.begin(), m_given.end());
    if (m_system.empty()) m_system = system_folders();
    folders.insert(folders.end(), m_system.begin(), m_system.end());
    for (const std::string& folder : folders) {
      std::string candidate = folder + '/' + name;
      if (access(candidate.c_str(), R_OK) == 0) return candidate;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool look_at(const std::string& path, const std::string& name) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return true;
    const FileBytes file(fd.get());
    const auto shape = read_elf_shape(file);
    if (!shape) return true;
    const LoadedBytes bytes(file, shape->loaded);
    if (bytes.has(adapter_mark)) return true;
    if (!is_of_a_framework(name) && (bytes.has(openers[0]) || bytes.has(openers[1]))) return true;
    return may_bring_adapter(path, *shape);
  }

  std::vector<std::string> m_given;
  std::vector<std::string> m_system;
  std::set<std::string> m_seen;
};

// What it is, where that is no program.
std::optional<std::string> no_program(const ElfShape& shape) {
  switch (shape.kind) {
    case ElfShape::Kind::object:
      return "it is an object file; link it, and give the test program";
    case ElfShape::Kind::core:
      return "it is the core of a program that crashed; give the program itself";
    case ElfShape::Kind::library:
      return "it is a shared library; give the test program that uses it";
    default:
      return std::nullopt;
  }
}

std::string without_adapter(const Framework& framework) {
  const std::string name(framework.name);
  if (framework.module.empty()) {
    return "it is a " + name +
           " program, and has no Hearth adapter in it: there are adapters for GoogleTest, doctest "
           "and CppUnit. It was not started";
  }
  return "it is a " + name +
         " program without Hearth's adapter, and was not started. Build it with the flags of "
         "`pkg-config --cflags --libs " +
         std::string(framework.module) +
         "`. (If a library that it opens brings the adapter, give a script that executes it.)";
}

std::optional<std::string> why_no_adapter(const std::string& path, const ByteSource& file,
                                          const ElfShape& shape,
                                          const std::vector<std::string>& environment) {
  const LoadedBytes bytes(file, shape.loaded);
  if (bytes.has(adapter_mark)) return std::nullopt;
  std::array<bool, frameworks.size()> found{};
  const bool opens = bytes.any(64, [&](std::string_view part) {
    for (std::size_t i = 0; i < frameworks.size(); ++i)
      found[i] = found[i] || part.find(frameworks[i].mark) != part.npos;
    return std::any_of(openers.begin(), openers.end(),
                       [&](std::string_view one) { return part.find(one) != part.npos; });
  });
  const auto first = std::find(found.begin(), found.end(), true);
  if (opens || first == found.end()) return std::nullopt;
  if (!variable(environment, "LD_PRELOAD").empty() || !variable(environment, "LD_AUDIT").empty() ||
      Libraries(environment).may_bring_adapter(path, shape)) {
    return std::nullopt;
  }
  return without_adapter(frameworks[static_cast<std::size_t>(first - found.begin())]);
}

}  // namespace

std::optional<std::string> why_not_started(const ProgramSpec& spec,
                                           const std::vector<std::string>& environment) {
  const auto refused = [&](const std::string& why) { return "start " + spec.path + ": " + why; };
  const UniqueFd fd(open(spec.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) return std::nullopt;
  if (S_ISDIR(status.st_mode)) {
    return refused("it is a folder; give the test programs in it (" + spec.path +
                   "/NAME), or with -C the folder of a project that has a .testr.conf");
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  const FileBytes file(fd.get());
  const auto shape = read_elf_shape(file);
  if (!shape) return std::nullopt;
  auto why = no_program(*shape);
  if (!why) why = why_no_adapter(spec.path, file, *shape, environment);
  if (!why) return std::nullopt;
  return refused(*why);
}

std::string kind_of_file(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 512> text{};
  const ssize_t size = fd ? pread(fd.get(), text.data(), text.size(), 0) : -1;
  if (size < 0) return {};
  if (size == 0) return " (it is empty)";
  const std::string_view begin(text.data(), static_cast<std::size_t>(size));
  if (begin.starts_with("#!")) return " (it is a script)";
  const auto valid = protocol::scan_utf8(begin).valid;
  const bool is_text = begin.find('\0') == begin.npos && valid + 4 > begin.size();
  return is_text ? " (it is a text file)" : "";
}

}  // namespace hearth::server
