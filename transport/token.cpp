#include "transport/token.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "process/unique_fd.hpp"
#include "transport/private_folder.hpp"

namespace hearth::transport {
namespace {

bool is_token(std::string_view text) {
  return text.size() == token_size &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string new_token() {
  unsigned char bits[token_size / 2];
  for (std::size_t filled = 0; filled < sizeof bits;) {
    const ssize_t got = getrandom(bits + filled, sizeof bits - filled, 0);
    if (got < 0 && errno != EINTR) std::abort();  // a kernel without: nothing could be kept secret
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  std::string token;
  for (const unsigned char byte : bits) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  return token;
}

Expected<void> write_token_file(const std::string& path, std::string_view token) {
  const auto refuse = [&] {
    return tl::unexpected(Error{"write the token file " + path, std::strerror(errno), {}});
  };
  const std::string temporary = path + "." + std::to_string(getpid());
  unlink(temporary.c_str());
  const UniqueFd file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return refuse();
  const std::string line = std::string(token) + '\n';
  if (fchmod(file.get(), 0600) != 0 ||
      write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    const auto refused = refuse();
    unlink(temporary.c_str());
    return refused;
  }
  return {};
}

Expected<std::string> read_token_file(const std::string& path) {
  const auto refuse = [&](std::string cause, std::string remedy) {
    return tl::unexpected(
        Error{"read the token file " + path, std::move(cause), std::move(remedy)});
  };
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file)
    return refuse(std::strerror(errno), "give the file that the server wrote: --token-file FILE");
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return refuse(std::strerror(errno), {});
  if (!S_ISREG(status.st_mode)) return refuse("it is no file", {});
  if (status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
    return refuse("others could read it or write to it",
                  "start the server anew, with a token file of mode 0600");
  }
  char text[token_size + 2];
  const ssize_t got = read(file.get(), text, sizeof text);
  std::string_view token(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!token.empty() && token.back() == '\n') token.remove_suffix(1);
  if (!is_token(token))
    return refuse("there is no token in it", "a server writes 64 hexadecimal digits");
  return std::string(token);
}

std::string default_token_file(const Address& address) {
  const auto* const tcp = std::get_if<TcpAddress>(&address);
  return tcp == nullptr ? std::string()
                        : runtime_folder() + "/tcp-" + std::to_string(tcp->port) + ".token";
}

bool same_token(std::string_view expected, std::string_view given) {
  volatile unsigned char differ = expected.size() != given.size() ? 1 : 0;
  for (std::size_t at = 0; at < expected.size(); ++at) {
    const char other = at < given.size() ? given[at] : '\0';
    differ = differ | static_cast<unsigned char>(expected[at] ^ other);
  }
  return differ == 0;
}

}  // namespace hearth::transport
