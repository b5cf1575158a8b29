#include "server/program_identity.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "process/unique_fd.hpp"
#include "server/elf_file.hpp"

namespace hearth::server {
namespace {

constexpr FileTime second = 1'000'000'000;
constexpr FileTime coarsest = 2 * second;  // FAT's
constexpr std::size_t max_files = 4096;    // of one program
constexpr std::size_t max_maps = std::size_t{16} << 20;

FileTime nanoseconds(const timespec& time) {
  return static_cast<FileTime>(time.tv_sec) * second + time.tv_nsec;
}

std::optional<struct stat> stat_of(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

FileState state_of(const struct stat& found) {
  return {found.st_dev, found.st_ino, found.st_size, nanoseconds(found.st_mtim),
          nanoseconds(found.st_ctim)};
}

// Not of a FIFO or a device, which opening could hang on or disturb.
ElfNames names_of(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat found {};
  if (!fd || fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) return {};
  return read_elf_names(FileBytes(fd.get()));
}

std::string read_file(const std::string& path, std::size_t most) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  while (fd && text.size() < most) {
    constexpr std::size_t piece = 64 * 1024;
    const std::size_t before = text.size();
    text.resize(before + piece);
    const ssize_t got = read(fd.get(), text.data() + before, piece);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  return text;
}

// The kernel writes a line feed in a path as \012, and nothing else in another way.
std::string unescaped(std::string_view path) {
  std::string plain;
  for (std::size_t at = 0; at < path.size();) {
    const bool line_feed = path.substr(at, 4) == "\\012";
    plain += line_feed ? '\n' : path[at];
    at += line_feed ? 4 : 1;
  }
  return plain;
}

// The path of a line of maps, `FROM-TO PERMISSIONS OFFSET DEVICE INODE PATH`; empty where it is not
// for executing.
std::string_view executable_path(std::string_view line) {
  constexpr std::string_view blanks = " \t";
  std::string_view words[5];
  for (std::string_view& word : words) {
    const std::size_t end = line.find_first_of(blanks);
    if (end == std::string_view::npos) return {};
    word = line.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(blanks, end), line.size()));
  }
  return words[1].find('x') != std::string_view::npos ? line : std::string_view{};
}

}  // namespace

std::optional<FileState> file_state(const std::string& path) {
  const auto found = stat_of(path);
  if (!found) return std::nullopt;
  return state_of(*found);
}

FileTime file_clock() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return nanoseconds(now);
}

// Whole seconds: the file system has no finer times.
bool may_change_unseen(const FileState& state, FileTime looked) {
  const FileTime granularity = state.changed % second == 0 ? coarsest : 1;
  return state.changed > looked - granularity;
}

std::vector<MappedFile> mapped_files(std::string_view maps) {
  constexpr std::string_view gone = " (deleted)";
  std::vector<MappedFile> files;
  while (!maps.empty() && files.size() < max_files) {
    const std::size_t end = std::min(maps.find('\n'), maps.size());
    std::string_view path = executable_path(maps.substr(0, end));
    maps.remove_prefix(std::min(end + 1, maps.size()));
    if (!path.starts_with('/') || path.starts_with("/memfd:")) continue;
    const bool deleted = path.ends_with(gone);
    if (deleted) path.remove_suffix(gone.size());
    MappedFile file{unescaped(path), deleted};
    // The mappings of one file follow each other mostly.
    if (std::find(files.rbegin(), files.rend(), file) == files.rend())
      files.push_back(std::move(file));
  }
  return files;
}

ProgramIdentity::ProgramIdentity(const ProgramSpec& spec, const std::string& cwd)
    : m_made(file_clock()) {
  namespace fs = std::filesystem;
  add(spec.path);
  for (const std::string& argument : spec.arguments) {
    const fs::path path = fs::path(cwd) / argument;
    const auto found = stat_of(path.string());
    if (found && S_ISREG(found->st_mode) && !knows(path.string())) add(path.string());
  }
}

bool ProgramIdentity::knows(std::string_view path) const {
  return std::any_of(m_files.begin(), m_files.end(),
                     [&](const File& file) { return file.path == path || file.mapped == path; });
}

void ProgramIdentity::add(std::string path) {
  if (m_files.size() >= max_files) return;
  const FileTime looked = file_clock();
  const auto state = file_state(path);
  std::string build_id = state ? names_of(path).build_id : std::string();
  const bool unseen = state && may_change_unseen(*state, looked);
  m_files.push_back({std::move(path), {}, state, std::move(build_id), unseen});
}

void ProgramIdentity::add_mapped(pid_t pid) {
  add_mapped(read_file("/proc/" + std::to_string(pid) + "/maps", max_maps));
}

void ProgramIdentity::add_mapped(std::string_view maps) {
  const auto files = mapped_files(maps);
  if (files.empty()) return;
  m_knows_mapped = true;
  for (const MappedFile& file : files) add_library(file);
}

// A library is looked at under the name by which it was asked for, where that is a link to it: the
// link may be replaced. A file that is gone, with none in its place, was for the time of loading
// only (unpacked, mapped, removed).
void ProgramIdentity::add_library(const MappedFile& mapped) {
  if (m_files.size() >= max_files || knows(mapped.path)) return;
  const FileTime looked = file_clock();
  const auto found = stat_of(mapped.path);
  if (found && !S_ISREG(found->st_mode)) return;
  File file{mapped.path, mapped.path, {}, {}, false};
  if (found) {
    file.state = state_of(*found);
    const bool in_the_future = file.state->changed > looked + coarsest;  // by another clock
    if (mapped.deleted || (may_change_unseen(*file.state, m_made) && !in_the_future)) {
      m_changed_while_loading = mapped.path;
    }
    ElfNames names = names_of(file.path);
    file.build_id = std::move(names.build_id);
    file.unseen = may_change_unseen(*file.state, looked);
    if (!names.soname.empty() && names.soname.find('/') == std::string::npos) {
      std::string link = file.path.substr(0, file.path.rfind('/') + 1) + names.soname;
      if (link != file.path && file_state(link) == file.state) file.path = std::move(link);
    }
  }
  m_files.push_back(std::move(file));
}

// Equal in all but the time of the last change: its content was written anew with the old times, or
// only what the file system keeps about it has changed (a link more, other permissions). The build
// id knows.
bool ProgramIdentity::is_same(File& file) {
  const FileTime looked = file_clock();
  const auto now = file_state(file.path);
  if (!now || !file.state) return now == file.state;
  if (*now == *file.state && !file.unseen) return true;
  FileState before = *file.state;
  before.changed = now->changed;
  if (*now != before || file.build_id.empty() || names_of(file.path).build_id != file.build_id)
    return false;
  file.state = now;
  file.unseen = may_change_unseen(*now, looked);
  return true;
}

std::optional<std::string> ProgramIdentity::changed() {
  if (!m_changed_while_loading.empty()) return m_changed_while_loading;
  const auto found =
      std::find_if(m_files.begin(), m_files.end(), [](File& file) { return !is_same(file); });
  if (found == m_files.end()) return std::nullopt;
  return found->path;
}

}  // namespace hearth::server
