// What a warm program was started from: its file, the files among its arguments, and every file
// that its process has mapped to execute (shared libraries, also those that it has loaded itself).
// Compared with what is there now, it says whether an answer would be that of an older build.
// docs/architecture.md, "Never stale".
//
// At most 4,096 files are kept. Flow: make one before the program is started; add_mapped() while
// its process is there; then changed(), as often as needed, at the cost of one stat per file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/program_spec.hpp"

namespace hearth::server {

// Nanoseconds of CLOCK_REALTIME.
using FileTime = std::int64_t;

struct FileState {
  std::uint64_t device;
  std::uint64_t inode;
  std::int64_t size;
  FileTime modified;
  FileTime changed;  // its ctime

  bool operator==(const FileState&) const = default;
};

// nullopt: there is nothing at the path, or no way to it. Symbolic links are followed.
[[nodiscard]] std::optional<FileState> file_state(const std::string& path);

// The clock that file systems take their times from. It may be a few milliseconds behind them.
[[nodiscard]] FileTime file_clock();

// The file may change again without a trace in its times: it had just changed when it was looked
// at, `looked`.
[[nodiscard]] bool may_change_unseen(const FileState& state, FileTime looked);

struct MappedFile {
  std::string path;
  bool deleted;  // there is another one at the path now, or none

  bool operator==(const MappedFile&) const = default;
};
// The files mapped to execute in the text of a /proc/PID/maps, each once. No memory without a name
// in the file system.
[[nodiscard]] std::vector<MappedFile> mapped_files(std::string_view maps);

class ProgramIdentity {
 public:
  ProgramIdentity() = default;
  // Of the program's own file and of the arguments that name regular files; `cwd`: where it starts
  // (empty: here).
  ProgramIdentity(const ProgramSpec& spec, const std::string& cwd);

  // What the process has mapped by now and is not known yet. What has changed since the identity
  // was made has changed while the program was loading: the process may have the one or the other.
  void add_mapped(pid_t pid);
  // The same for the text of its maps.
  void add_mapped(std::string_view maps);

  // The first file that is not what it was.
  [[nodiscard]] std::optional<std::string> changed();

  // Files, the program's own included; those that are not there are counted too.
  [[nodiscard]] std::size_t size() const { return m_files.size(); }
  // False: the process's files are not known, as it ended before it could be asked, or may not be
  // looked at.
  [[nodiscard]] bool knows_mapped() const { return m_knows_mapped; }

 private:
  struct File {
    std::string path;    // as it is looked for
    std::string mapped;  // as the process has it; empty: not known
    std::optional<FileState> state;
    std::string build_id;
    bool unseen;  // may_change_unseen()
  };

  void add(std::string path);
  void add_library(const MappedFile& mapped);
  [[nodiscard]] bool knows(std::string_view path) const;
  [[nodiscard]] static bool is_same(File& file);

  FileTime m_made = 0;
  std::vector<File> m_files;
  std::string m_changed_while_loading;  // empty: nothing has
  bool m_knows_mapped = false;
};

}  // namespace hearth::server
