// `hearth init`: a `.testr.conf` for programs, or the lines that one lacks.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/project/init.hpp"

namespace hearth::client {
namespace {

// The server's command line, without the `--` where none of the programs needs it.
std::vector<std::string> server_words(const ServerSettings& settings) {
  auto words = serve_command_line("hearth", settings);
  for (const auto& program : settings.programs)
    if (program.starts_with('-')) return words;
  words.erase(words.end() - static_cast<std::ptrdiff_t>(settings.programs.size()) - 1);
  return words;
}

std::optional<Error> write_file(const std::string& path, const std::string& text, mode_t mode,
                                bool replace) {
  const auto temporary = replace ? path + ".new" : path;
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_EXCL;
  const int fd = open(temporary.c_str(), flags, mode);
  if (fd < 0) return Error{"write " + temporary, std::strerror(errno), ""};
  if (replace) (void)fchmod(fd, mode);
  const bool written = write_all(fd, text);
  const int failed = errno;
  if (close(fd) != 0 || !written || (replace && rename(temporary.c_str(), path.c_str()) != 0)) {
    const int cause = written ? errno : failed;
    (void)unlink(temporary.c_str());
    return Error{"write " + path, std::strerror(cause), ""};
  }
  return std::nullopt;
}

std::optional<Error> add_lines(const std::string& path, const std::string& lines) {
  struct stat status {};
  std::ifstream stream(path, std::ios::binary);
  if (!stream || stat(path.c_str(), &status) != 0)
    return Error{"read " + path, std::strerror(errno), ""};
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const auto added = with_lines(text, lines);
  const auto before = TestrConf::parse(text, path);
  const auto after = TestrConf::parse(added, path);
  if (!before) return before.error();
  // Where the first key is indented, it would go on with our last value.
  bool kept = after.has_value();
  for (const auto& key : before->file.keys())
    kept = kept && after->file.raw(key) == before->file.raw(key);
  if (!kept)
    return Error{"add to " + path, "the lines below [DEFAULT] are indented",
                 "add these lines with an editor, indented like them:\n" + lines};
  return write_file(path, added, status.st_mode & 07777, true);
}

}  // namespace

int init(const InitCommand& command) {
  const auto value = config_value(server_words(command.server));
  if (!value) return fail_setup(value.error().text());
  const auto path = testr_conf_path(command.directory);
  const auto conf = TestrConf::read(command.directory);
  if (!conf) return fail_setup(conf.error().text());
  const auto say = descriptor_writer(STDOUT_FILENO);
  std::optional<Error> failed;
  if (!*conf) {
    failed = write_file(path, new_testr_conf(*value), 0666, false);
    if (!failed) say("wrote " + path + "; `hearth run` runs the tests, `testr run` too\n");
  } else if ((*conf)->server_command) {
    failed = Error{"write " + path, "it is there already, and has a server_command",
                   "change it with an editor, or remove it first"};
  } else if (!command.add) {
    failed =
        Error{"write " + path, "it is there already, without a server_command",
              "add these lines below [DEFAULT], or give --add:\n" + needed_lines(*value, *conf)};
  } else {
    failed = add_lines(path, needed_lines(*value, *conf));
    if (!failed) say("added to " + path + ":\n" + needed_lines(*value, *conf));
  }
  return failed ? fail_setup(failed->text()) : as_int(ExitCode::success);
}

}  // namespace hearth::client
