// hearth-shim: owns stdin and stdout in a test server's stead. docs/shim.md.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "process/children.hpp"
#include "process/keeper.hpp"
#include "protocol/rpc_packet.hpp"
#include "protocol/utf8.hpp"
#include "shim/console_client.hpp"
#include "shim/descriptor_end.hpp"
#include "shim/options.hpp"
#include "shim/relay.hpp"
#include "shim/rendezvous.hpp"
#include "tunnel/answerer.hpp"

namespace hearth::shim {
namespace {

constexpr int failure_status = 2;

int complain(const Error& error, int status) {
  std::fprintf(stderr, "hearth-shim: %s\n", error.text().c_str());
  return status;
}

// Takes one of the standard descriptors for the session alone.
UniqueFd take_over(int fd) {
  UniqueFd taken = duplicate(fd);
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || dup2(null.get(), fd) < 0) return {};
  return taken;
}

// Who speaks with us reads packets, and nobody may ever read our stderr.
int tell_client(ClientEnd& client, const Error& error, int status) {
  protocol::Bytes packets;
  protocol::append_rpc_error(protocol::as_utf8(error.text()), packets);
  (void)client.write(packets);
  return complain(error, status);
}

// `stdout_fd`: other than the client's, where the end of whoever reads it ends the session; or -1.
int serve(const Options& options, ClientEnd& client, Signals& signals, int stdout_fd = -1) {
  auto server = start_server(options.server);
  if (!server) return tell_client(client, server.error().error, server.error().status);
  Relay relay(std::move(*server), client, signals);
  relay.watch_reader(stdout_fd);
  return relay.run();
}

int serve_connection(const Options& options, UniqueFd connection, std::string first_bytes,
                     Signals& signals) {
  UniqueFd in = duplicate(connection.get());
  DescriptorEnd client(std::move(in), std::move(connection), std::move(first_bytes));
  return serve(options, client, signals, 1);
}

// Made while signals still end us: it may take its time.
int connect(const Options& options, pid_t keeper) {
  auto connection = make_connection(*options.connect, options.token_file);
  Signals signals(keeper);
  if (signals.abandoned()) return 1;
  if (connection && !options.server.empty()) {
    return serve_connection(options, std::move(*connection), {}, signals);
  }
  DescriptorEnd standard(take_over(0), take_over(1));
  if (!connection) return tell_client(standard, connection.error(), failure_status);
  ServerProcess server;
  server.channel = std::move(*connection);
  return Relay(std::move(server), standard, signals,
               "the server at " + transport::to_text(*options.connect))
      .run();
}

int listen(const Options& options, Signals& signals) {
  DescriptorEnd standard(duplicate(0), duplicate(1));
  auto waited = wait_for_client(*options.listen, options.token_file, standard, signals);
  if (!waited) return tell_client(standard, waited.error(), failure_status);
  if (const auto* const nobody = std::get_if<NoArrival>(&*waited)) return nobody->status;
  auto& arrival = std::get<Arrival>(*waited);
  return serve_connection(options, std::move(arrival.connection), std::move(arrival.first_bytes),
                          signals);
}

int run(const Options& options, pid_t keeper) {
  process::become_subreaper();
  if (options.connect) return connect(options, keeper);
  Signals signals(keeper);
  if (signals.abandoned()) return 1;
  if (options.listen) return listen(options, signals);
  if (options.console) {
    ConsoleClient client(take_over(0), take_over(1));
    return serve(options, client, signals);
  }
  DescriptorEnd client(take_over(0), take_over(1));
  return serve(options, client, signals);
}

// So that no descriptor of ours gets one of these numbers.
void occupy_standard_descriptors() {
  while (true) {
    const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd > 2) close(fd);
    if (fd < 0 || fd > 2) return;
  }
}

int main(std::span<char* const> arguments) {
  signal(SIGCHLD, SIG_DFL);  // ignored, no child's end could be waited for
  occupy_standard_descriptors();
  const auto options = parse_options(arguments);
  if (!options) return complain(options.error(), failure_status);
  if (options->help) {
    std::fputs(usage, stdout);
    return 0;
  }
  if (options->console) {
    const auto ended = tunnel::answer_console({options->forwards});
    if (!ended) return complain(ended.error(), failure_status);
    if (*ended) return **ended;
  }
  const pid_t keeper = getpid();
  return process::run_kept([&] { return run(*options, keeper); }, process::Daemons::spared);
}

}  // namespace
}  // namespace hearth::shim

int main(int argc, char** argv) {
  return hearth::shim::main({argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
}
