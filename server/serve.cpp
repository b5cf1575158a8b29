#include "server/serve.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "process/keeper.hpp"
#include "server/server.hpp"
#include "server/spawn.hpp"
#include "transport/address_lock.hpp"
#include "transport/private_folder.hpp"
#include "transport/token.hpp"

namespace hearth::server {
namespace {

int fail(const std::string& text) {
  std::fprintf(stderr, "hearth: serve: %s\n", text.c_str());
  return 2;
}

// Takes stdin and stdout for the session alone: whatever else writes to stdout from here on is
// lost, and what reads stdin sees its end.
UniqueFd take_over(int fd, int access) {
  UniqueFd taken(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  const UniqueFd null(open("/dev/null", access | O_CLOEXEC));
  dup2(null.get(), fd);
  return taken;
}

// A socket that HEARTH_CHANNEL_FD names becomes stdin, and takes the session; stdout is then like
// stderr. The variable is for this process alone. False: what it names is no socket.
bool adopt_channel(bool& adopted) {
  const char* const text = std::getenv("HEARTH_CHANNEL_FD");
  if (text == nullptr) return true;
  int fd = -1;
  const char* const end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, fd);
  struct stat status {};
  adopted = parsed.ec == std::errc() && parsed.ptr == end && fd >= 0 && fstat(fd, &status) == 0 &&
            S_ISSOCK(status.st_mode) && dup2(fd, 0) == 0;
  if (adopted && fd != 0) close(fd);
  unsetenv("HEARTH_CHANNEL_FD");
  return adopted;
}

int serve_here(const ServeOptions& options, std::vector<ProgramSpec> specs, bool on_channel) {
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  UniqueFd in = take_over(0, O_RDONLY);
  UniqueFd out = on_channel ? UniqueFd() : take_over(1, O_WRONLY);
  if (!in || !(out || on_channel)) {
    return fail("standard input and output must be open: the session goes over them");
  }
  return Server(options, std::move(specs)).serve_one(std::move(in), std::move(out));
}

// On TCP a secret, in a file that only this user can read; on a Unix socket the kernel says who
// connects.
Expected<std::optional<std::string>> make_token(const ServeOptions& options,
                                                const transport::Address& address) {
  if (std::holds_alternative<transport::UnixAddress>(address)) return std::nullopt;
  std::string file = options.token_file;
  if (file.empty()) {
    file = transport::default_token_file(address);
    if (const auto folder = transport::open_private_folder(transport::folder_of(file)); !folder) {
      return tl::unexpected(folder.error());
    }
  }
  std::string token = transport::new_token();
  if (const auto written = transport::write_token_file(file, token); !written)
    return tl::unexpected(written.error());
  std::fprintf(stderr, "hearth: the token is in %s\n", file.c_str());
  return token;
}

int listen_here(const ServeOptions& options, std::vector<ProgramSpec> specs) {
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  take_over(0, O_RDONLY);
  auto listener = transport::Listener::open(*options.listen);
  if (!listener) return fail(listener.error().text());
  auto token = make_token(options, listener->address());
  if (!token) return fail(token.error().text());
  std::fprintf(stderr, "hearth: listening on %s\n",
               transport::to_text(listener->address()).c_str());
  return Server(options, std::move(specs)).serve_all(std::move(*listener), std::move(*token));
}

// The lock is held by the keeper and by the server, from here on until both have gone.
int listen(const ServeOptions& options, std::vector<ProgramSpec> specs) {
  const auto lock = transport::AddressLock::take(*options.listen);
  if (!lock) return fail(lock.error().text());
  if (!*lock) {
    const std::string address = transport::to_text(*options.listen);
    std::fprintf(stderr,
                 "hearth: serve: another server listens on %s already; `hearth status %s` shows "
                 "it\n",
                 address.c_str(), address.c_str());
    return exit_address_taken;
  }
  return process::run_kept([&] { return listen_here(options, std::move(specs)); });
}

}  // namespace

int serve(const ServeOptions& options) {
  prctl(PR_SET_NAME, "hearth");  // also where it was started as /proc/self/exe
  auto specs = parse_programs(options.programs);
  if (!specs) {
    std::fprintf(stderr, "hearth: %s\n", specs.error().text().c_str());
    return 2;
  }
  if (options.listen) return listen(options, std::move(*specs));
  bool on_channel = false;
  if (!adopt_channel(on_channel)) {
    return fail(
        "HEARTH_CHANNEL_FD names no open socket: unset it, or start the server with hearth-shim");
  }
  return process::run_kept([&] { return serve_here(options, std::move(*specs), on_channel); });
}

}  // namespace hearth::server
