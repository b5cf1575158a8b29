#include "client/attach/status_query.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "client/attach/resident.hpp"
#include "client/text.hpp"
#include "process/deadline.hpp"
#include "protocol/rpc_packet.hpp"
#include "transport/connect.hpp"
#include "transport/preface.hpp"

namespace hearth::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(30);
constexpr std::size_t largest_answer = std::size_t{64} << 20;  // bytes

// Until the server closes the connection. An error is its text.
tl::expected<std::string, std::string> receive_all(int connection) {
  const auto until = Clock::now() + patience;
  std::string answer;
  std::array<char, 65536> buffer;
  for (;;) {
    const int left = process::milliseconds_until(until);
    pollfd fd{connection, POLLIN, 0};
    if (left <= 0) return tl::make_unexpected("it does not answer within 30 s");
    if (poll(&fd, 1, left) <= 0) continue;
    const auto size = recv(connection, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size == 0) return answer;
    if (size < 0 && errno != EAGAIN && errno != EINTR)
      return tl::make_unexpected(std::string(std::strerror(errno)));
    if (size > 0) answer.append(buffer.data(), static_cast<std::size_t>(size));
    if (answer.size() > largest_answer)
      return tl::make_unexpected("its answer is longer than 64 MiB");
  }
}

// What a server says that refuses the connection; or what else it was.
std::string refusal(const std::string& answer) {
  protocol::PacketDecoder decoder;
  decoder.feed(protocol::as_bytes(answer));
  decoder.finish();
  while (const auto event = decoder.next()) {
    const auto* const packet = std::get_if<protocol::PacketView>(&*event);
    if (packet != nullptr && protocol::rpc_part(*packet) == protocol::RpcPart::text)
      return printable_line(protocol::as_text(packet->file_content));
  }
  return answer.empty() ? "it closed the connection without an answer"
                        : "what listens there does not answer as a Hearth server does";
}

}  // namespace

tl::expected<nlohmann::json, StatusFailure> query_status(
    const transport::Address& address, const std::optional<std::string>& token_file) {
  const auto fail = [&](std::string cause) {
    return tl::make_unexpected(
        StatusFailure{false, {"ask " + to_text(address) + " for its state", std::move(cause), ""}});
  };
  auto connection = transport::connect(address);
  if (!connection)
    return tl::make_unexpected(
        StatusFailure{connection.error().absent, std::move(connection.error().error)});
  const auto preface = transport::preface_of(address, token_file);
  if (!preface) return tl::make_unexpected(StatusFailure{false, preface.error()});
  const auto question = *preface + std::string(transport::status_line);
  (void)send(connection->get(), question.data(), question.size(), MSG_NOSIGNAL);
  const auto answer = receive_all(connection->get());
  if (!answer) return fail(answer.error());
  auto state = nlohmann::json::parse(*answer, nullptr, false);
  if (!state.is_object()) return fail(refusal(*answer));
  return state;
}

}  // namespace hearth::client
