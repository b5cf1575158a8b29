#include "server/program_identity.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "process/unique_fd.hpp"
#include "server/elf_file.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace hearth::server;
using hearth::UniqueFd;
using hearth::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr FileTime second = 1'000'000'000;

// Until what happens next is later, to the file systems' coarse clock, than what has happened.
void let_clock_move() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  while (file_clock() <= now.tv_sec * second + now.tv_nsec) usleep(1000);
}

ProgramIdentity identity_of(const fs::path& program, std::vector<std::string> arguments = {}) {
  let_clock_move();
  return {{"program", program.string(), std::move(arguments)}, ""};
}

std::string maps_line(const std::string& path, const char* permissions = "r-xp") {
  return std::string("7f0000000000-7f0000001000 ") + permissions +
         " 00000000 fe:01 4711                 " + path + '\n';
}

void set_times_as(const fs::path& path, const struct stat& known) {
  const timespec times[] = {known.st_atim, known.st_mtim};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

struct stat stat_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found;
}

// One byte changed at the offset, in place.
void write_at(const fs::path& path, std::uint64_t offset, char byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

// Where this file's build id is; 0: it has none.
std::uint64_t build_id_at(const fs::path& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string id = read_elf_names(FileBytes(fd.get())).build_id;
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  return id.empty() ? 0 : bytes.find(id);
}

}  // namespace

TEST_CASE("Identity: a file that nobody touches is the same, however often it is looked at") {
  const TemporaryFolder folder;
  const fs::path program = folder.write("program", "one");
  ProgramIdentity identity = identity_of(program);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(identity.changed());
}

TEST_CASE("Identity: replaced, written in place, touched, removed, and there at last") {
  const TemporaryFolder folder;
  const fs::path program = folder.write("program", "one");
  ProgramIdentity identity = identity_of(program);

  SUBCASE("replaced") {
    fs::rename(folder.write("other", "one"), program);
  }
  SUBCASE("written in place") {
    folder.write("program", "two");
  }
  SUBCASE("longer") {
    folder.write("program", "longer");
  }
  SUBCASE("touched") {
    REQUIRE(utimensat(AT_FDCWD, program.c_str(), nullptr, 0) == 0);
  }
  SUBCASE("removed") {
    fs::remove(program);
  }
  CHECK(identity.changed() == program.string());
  CHECK(identity.changed() == program.string());  // until there is a new identity

  ProgramIdentity absent = identity_of(folder.path() / "absent");
  CHECK_FALSE(absent.changed());
  folder.write("absent", "here");
  CHECK(absent.changed());
}

TEST_CASE("Identity: through a symbolic link") {
  const TemporaryFolder folder;
  folder.write("one", "same");
  folder.write("two", "same");
  const fs::path link = folder.path() / "link";
  fs::create_symlink("one", link);
  ProgramIdentity identity = identity_of(link);
  CHECK_FALSE(identity.changed());
  fs::create_symlink("two", folder.path() / "new");
  fs::rename(folder.path() / "new", link);
  CHECK(identity.changed() == link.string());
}

TEST_CASE("Identity: arguments that name regular files belong to it, others do not") {
  const TemporaryFolder folder;
  const fs::path script = folder.write("script.py", "pass");
  fs::create_directory(folder.path() / "folder");
  let_clock_move();
  ProgramIdentity identity(
      {"program", "/bin/sh", {"script.py", "folder", "--flag", "", "script.py"}},
      folder.path().string());
  CHECK(identity.size() == 2);
  let_clock_move();
  folder.write("folder/file", "");
  CHECK_FALSE(identity.changed());
  folder.write("script.py", "fail");
  CHECK(identity.changed() == script.string());
}

TEST_CASE("Identity: an equal build id and the old time of modification: the same build") {
  const TemporaryFolder folder;
  const fs::path program = folder.path() / "program";
  fs::copy_file("/proc/self/exe", program);
  const std::uint64_t id_at = build_id_at(program);
  const struct stat known = stat_of(program);
  ProgramIdentity identity = identity_of(program);
  let_clock_move();

  SUBCASE("only a link more") {
    fs::create_hard_link(program, folder.path() / "more");
    CHECK(identity.changed().has_value() == (id_at == 0));
    CHECK(identity.changed().has_value() == (id_at == 0));
  }
  SUBCASE("another build, that pretends to be as old") {
    write_at(program, id_at, 'x');
    set_times_as(program, known);
    CHECK(identity.changed());
  }
}

TEST_CASE("Identity: the old time of modification on a file without a build id proves nothing") {
  const TemporaryFolder folder;
  const fs::path script = folder.write("script", "one");
  const struct stat known = stat_of(script);
  ProgramIdentity identity = identity_of(script);
  let_clock_move();
  folder.write("script", "two");
  set_times_as(script, known);
  CHECK(identity.changed());
}

TEST_CASE("Identity: a file that has just changed may change again unseen") {
  const FileTime now = 1'000'000 * second + 500;
  const FileState state{1, 2, 3, now, now};
  CHECK(may_change_unseen(state, now));
  CHECK(may_change_unseen(state, now - 1));
  CHECK_FALSE(may_change_unseen(state, now + 1));
  // Whole seconds: times are no finer.
  const FileState coarse{1, 2, 3, now, now - 500};
  CHECK(may_change_unseen(coarse, now + second));
  CHECK_FALSE(may_change_unseen(coarse, now + 3 * second));
}

TEST_CASE("Identity: the maps' executable files, each once") {
  const std::string maps = maps_line("/usr/bin/program", "r--p") + maps_line("/usr/bin/program") +
                           maps_line("/lib/lib a.so") + maps_line("/lib/lib a.so", "rwxp") +
                           maps_line("") + maps_line("[vdso]") +
                           maps_line("/memfd:code (deleted)") + maps_line("/lib/old.so (deleted)") +
                           maps_line("/lib/line\\012feed.so") + maps_line("/usr/bin/program") +
                           "garbage\n\n1 2 3\nr-xp";
  const auto files = mapped_files(maps);
  const std::vector<MappedFile> expected = {{"/usr/bin/program", false},
                                            {"/lib/lib a.so", false},
                                            {"/lib/old.so", true},
                                            {"/lib/line\nfeed.so", false}};
  CHECK(files == expected);
  for (std::size_t size = 0; size < maps.size(); ++size) {
    CHECK(mapped_files(std::string_view(maps).substr(0, size)).size() <= 5);
  }
}

TEST_CASE("Identity: this process's own maps") {
  ProgramIdentity identity = identity_of(fs::read_symlink("/proc/self/exe"));
  CHECK_FALSE(identity.knows_mapped());
  identity.add_mapped(getpid());
  CHECK(identity.knows_mapped());
  CHECK(identity.size() > 1);
  const std::size_t size = identity.size();
  identity.add_mapped(getpid());
  CHECK(identity.size() == size);
  CHECK_FALSE(identity.changed());

  ProgramIdentity of_nobody;
  of_nobody.add_mapped(-1);
  CHECK_FALSE(of_nobody.knows_mapped());
}

TEST_CASE(
    "Identity: a library that changes after it was mapped, and one that changed while the program "
    "loaded") {
  const TemporaryFolder folder;
  const fs::path program = folder.write("program", "");
  const fs::path library = folder.write("library.so", "one");
  ProgramIdentity identity = identity_of(program);

  SUBCASE("after") {
    identity.add_mapped(maps_line(library.string()));
    CHECK_FALSE(identity.changed());
    folder.write("library.so", "two");
  }
  SUBCASE("while, in place") {
    folder.write("library.so", "two");
    identity.add_mapped(maps_line(library.string()));
  }
  SUBCASE("while, replaced by one as old") {
    identity.add_mapped(maps_line(library.string() + " (deleted)"));
  }
  CHECK(identity.changed() == library.string());
}

TEST_CASE("Identity: a file that was mapped and removed, as unpacked libraries are, is no change") {
  const TemporaryFolder folder;
  ProgramIdentity identity = identity_of(folder.write("program", ""));
  identity.add_mapped(maps_line((folder.path() / "unpacked.so").string() + " (deleted)"));
  CHECK_FALSE(identity.changed());
  // Memory that is shared without a file has a device's name.
  identity.add_mapped(maps_line("/dev/zero (deleted)"));
  CHECK_FALSE(identity.changed());
  folder.write("unpacked.so", "");
  CHECK(identity.changed());
}

TEST_CASE("Identity: a time in the future, of another clock, is no change") {
  const TemporaryFolder folder;
  const fs::path library = folder.write("library.so", "");
  const FileState ahead{1, 2, 3, 0, file_clock() + 3600 * second};
  CHECK(may_change_unseen(ahead, file_clock()));
  ProgramIdentity identity = identity_of(folder.write("program", ""));
  identity.add_mapped(maps_line(library.string()));
  CHECK_FALSE(identity.changed());
}
