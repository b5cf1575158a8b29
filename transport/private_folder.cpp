#include "transport/private_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hearth::transport {
namespace {

// Errors show when the folder is opened.
void make_folders(const std::string& path) {
  for (std::size_t end = 1; end != std::string::npos;) {
    end = path.find('/', end);
    mkdir(path.substr(0, end).c_str(), 0700);
    if (end != std::string::npos) ++end;
  }
}

std::string octal(mode_t mode) {
  char digits[8];
  std::snprintf(digits, sizeof digits, "%04o", static_cast<unsigned>(mode & 07777));
  return digits;
}

}  // namespace

Expected<UniqueFd> open_private_folder(const std::string& path) {
  const auto refuse = [&](std::string cause, std::string remedy) {
    return tl::unexpected(Error{"use the directory " + path, std::move(cause), std::move(remedy)});
  };
  make_folders(path);
  UniqueFd folder(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return refuse(std::strerror(errno), {});
  struct stat status {};
  if (fstat(folder.get(), &status) != 0) return refuse(std::strerror(errno), {});
  if (status.st_uid != geteuid()) {
    return refuse("it belongs to another user (uid " + std::to_string(status.st_uid) + ")",
                  "choose one of your own, for example under " + runtime_folder());
  }
  if ((status.st_mode & 077) != 0) {
    return refuse("others may use it (mode " + octal(status.st_mode) + ")",
                  "chmod 700 " + path + ", or choose a directory of its own, which is then made");
  }
  return folder;
}

std::string runtime_folder() {
  const char* const base = std::getenv("XDG_RUNTIME_DIR");
  if (base != nullptr && *base == '/') return std::string(base) + "/hearth";
  return "/tmp/hearth-" + std::to_string(geteuid());
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace hearth::transport
