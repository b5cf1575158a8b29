#include "client/attach/resident.hpp"

#include <poll.h>

#include <chrono>

#include "client/attach/daemon.hpp"
#include "client/attach/log_file.hpp"
#include "client/attach/wanted_server.hpp"
#include "client/text.hpp"
#include "transport/address_lock.hpp"
#include "transport/connect.hpp"
#include "transport/preface.hpp"
#include "transport/token.hpp"

namespace hearth::client {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using transport::AddressLock;

constexpr auto patience = 60s;  // for a server to listen
constexpr auto nap = 10ms;      // while another process starts it

std::vector<std::string> command_line(const Resident& resident) {
  std::vector<std::string> command{resident.executable,       "hearth", "serve",      "--listen",
                                   to_text(resident.address), "--idle", resident.idle};
  if (resident.token_file) command.insert(command.end(), {"--token-file", *resident.token_file});
  command.insert(command.end(), resident.arguments.begin(), resident.arguments.end());
  return command;
}

class Starter {
 public:
  explicit Starter(const Resident& resident)
      : m_resident(resident), m_log_path(log_path_of(resident.address)) {}

  Expected<UniqueFd> connect() {
    const auto until = Clock::now() + patience;
    for (;;) {
      auto connected = transport::connect(m_resident.address);
      if (connected) {
        const auto wanted = check_wanted(*connected, m_resident);
        if (!wanted) return tl::unexpected(wanted.error());
        if (*wanted) return std::move(*connected);
      } else if (!connected.error().absent) {
        return tl::unexpected(connected.error().error);
      }
      if (Clock::now() > until) return tl::unexpected(nobody_came());
      if (connected) continue;
      const auto started = start();
      if (!started) return tl::unexpected(started.error());
      if (!*started) poll(nullptr, 0, static_cast<int>(nap.count()));
    }
  }

 private:
  // Whether it is worth while to connect at once. Whoever has the lock of the log starts the
  // server; the address's own is the server's.
  Expected<bool> start() {
    const auto lock = AddressLock::take(transport::UnixAddress{m_log_path});
    if (!lock) return tl::unexpected(lock.error());
    if (!*lock) return false;
    // Somebody may have started one since we looked.
    if (transport::connect(m_resident.address)) return true;
    const auto started = start_daemon({command_line(m_resident), m_log_path, patience});
    if (started) return true;
    // One that was started in another way: it will listen.
    const auto address_lock = AddressLock::take(m_resident.address);
    if (address_lock && !*address_lock) return false;
    return tl::unexpected(started.error());
  }

  [[nodiscard]] Error nobody_came() const {
    return {"start a server at " + to_text(m_resident.address),
            "another process has the address, and does not listen after " + duration_text(patience),
            "see the log " + m_log_path + ", or choose another address"};
  }

  const Resident& m_resident;
  std::string m_log_path;
};

}  // namespace

Expected<UniqueFd> connect_or_start(const Resident& resident) {
  return Starter(resident).connect();
}

}  // namespace hearth::client
