#include "client/attach/wanted_server.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "client/attach/status_query.hpp"
#include "client/project/shell_command.hpp"
#include "process/fork_exec.hpp"

namespace hearth::client {
namespace {

constexpr int end_patience = 30'000;  // ms, for a server without clients to end
constexpr std::size_t words_before = 6;
constexpr std::string_view isolation_variable = "HEARTH_ISOLATION=";

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0, end = 0; (end = text.find('\0', at)) != text.npos; at = end + 1)
    words.push_back(text.substr(at, end - at));
  return words;
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> target{};
  const auto size = readlink(link.c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

std::optional<ServerIdentity> identity_of_process(pid_t pid) {
  const auto folder = "/proc/" + std::to_string(pid);
  return identity_of(contents_of(folder + "/cmdline"), contents_of(folder + "/environ"),
                     target_of(folder + "/cwd"));
}

ServerIdentity wanted_identity(const Resident& resident) {
  const char* const isolation = std::getenv("HEARTH_ISOLATION");
  ServerIdentity wanted{{}, target_of("/proc/self/cwd"), isolation != nullptr ? isolation : ""};
  if (resident.token_file) wanted.arguments = {"--token-file", *resident.token_file};
  wanted.arguments.insert(wanted.arguments.end(), resident.arguments.begin(),
                          resident.arguments.end());
  return wanted;
}

// The process that listens, where that can be told.
pid_t peer_of(int connection, const Resident& resident) {
  if (std::holds_alternative<transport::TcpAddress>(resident.address)) {
    const auto state = query_status(resident.address, resident.token_file);
    if (!state) return 0;
    const auto pid = state->find("pid");
    return pid != state->end() && pid->is_number_integer() ? pid->get<pid_t>() : 0;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

bool has_clients(const Resident& resident) {
  const auto state = query_status(resident.address, resident.token_file);
  if (!state) return !state.error().absent;
  const auto sessions = state->find("sessions");
  return sessions == state->end() || !sessions->is_array() || !sessions->empty();
}

// By descriptor: the number may have become another process's.
bool end_process(int process) {
  if (syscall(SYS_pidfd_send_signal, process, SIGTERM, nullptr, 0) != 0) return errno == ESRCH;
  pollfd fd{process, POLLIN, 0};
  return poll(&fd, 1, end_patience) > 0;
}

Error refusal(const Resident& resident, pid_t pid, const ServerIdentity& found) {
  std::string line = "hearth serve";
  for (const auto& word : found.arguments) line += " " + shell_quoted(word);
  const auto number = std::to_string(pid);
  return {
      "attach to " + to_text(resident.address),
      "the server there (process " + number +
          ") was started with other arguments, and has clients: in " + found.directory + ", `" +
          (found.isolation.empty() ? "" : std::string(isolation_variable) + found.isolation + " ") +
          line + "`",
      "try again when they have gone, end it with `kill " + number +
          "`, or choose another address"};
}

}  // namespace

std::optional<ServerIdentity> identity_of(const std::string& command_line,
                                          const std::string& environment, std::string directory) {
  auto words = words_of(command_line);
  if (words.size() < words_before || words[1] != "serve" || words[2] != "--listen" ||
      words[4] != "--idle" || directory.empty())
    return std::nullopt;
  words.erase(words.begin(), words.begin() + words_before);
  ServerIdentity identity{std::move(words), std::move(directory), {}};
  for (const auto& variable : words_of(environment))
    if (variable.starts_with(isolation_variable))
      identity.isolation = variable.substr(isolation_variable.size());
  return identity;
}

Expected<bool> check_wanted(UniqueFd& server, const Resident& resident) {
  const pid_t pid = peer_of(server.get(), resident);
  if (pid <= 0) return true;
  const UniqueFd by_pid = process::open_pid(pid);
  const auto found = identity_of_process(pid);
  if (!by_pid || !found || *found == wanted_identity(resident)) return true;
  server.reset();
  if (has_clients(resident) || !end_process(by_pid.get()))
    return tl::unexpected(refusal(resident, pid, *found));
  return false;
}

}  // namespace hearth::client
