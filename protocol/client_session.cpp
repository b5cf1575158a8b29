#include "protocol/client_session.hpp"

#include <array>
#include <cstdio>
#include <random>
#include <unordered_set>

#include "protocol/message_assembler.hpp"
#include "protocol/output_buffer.hpp"
#include "protocol/rpc_packet.hpp"

namespace hearth::protocol {
namespace {

enum class State : std::uint8_t { before_hello, ready, over };

// Random, so that nonces of clients that share a route or a log differ.
std::string random_prefix() {
  std::random_device device;
  const auto bits = std::uint64_t{device()} << 32 | device();
  std::array<char, 20> text{};
  const auto size =
      std::snprintf(text.data(), text.size(), "%016llx-", static_cast<unsigned long long>(bits));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string range_text(VersionRange range) {
  return std::to_string(range.min) + " to " + std::to_string(range.max);
}

constexpr std::array<std::string_view, std::variant_size_v<Message>> kind_names{
    "Hello", "Goodbye", "List", "Run", "Done"};

bool is_output(std::string_view file) {
  return file == "stdout" || file == "stderr";
}

PeerFault fault(std::string reason) {
  return {std::move(reason), false};
}

PeerFault damage(std::string reason) {
  return {std::move(reason), false, true};
}

}  // namespace

struct ClientSession::Impl {
  std::string nonce_prefix;
  VersionRange versions;
  State state = State::before_hello;
  PacketDecoder decoder;
  MessageAssembler assembler;
  OutputBuffer out;
  Bytes held;  // commands given before the server's Hello
  std::unordered_set<std::string> in_flight;
  std::unordered_set<std::string> abandoned;
  std::uint64_t last_nonce = 0;
  bool goodbye_said = false;
  bool eof = false;
  PacketView current;  // what the last ResultPacket points to

  Impl(std::string prefix, VersionRange spoken);

  Bytes& command_buffer() { return state == State::before_hello ? held : out.packets(); }
  std::string command(std::string_view kind, std::optional<std::span<const std::string>> tests,
                      bool exit = true);

  std::optional<ClientEvent> next();
  std::optional<ClientEvent> on_event(const PacketView& packet);
  std::optional<ClientEvent> on_event(const ForeignBytes& foreign);
  std::optional<ClientEvent> on_event(const DamagedPacket& damaged);
  std::optional<ClientEvent> on_end();

  ClientEvent on_outcome(const MessageAssembler::Outcome& outcome);
  ClientEvent on_hello(const Hello& hello);
  ClientEvent on_done(const Done& done);
  ClientEvent fatal(std::string reason);
};

ClientSession::Impl::Impl(std::string prefix, VersionRange spoken)
    : nonce_prefix(std::move(prefix)), versions(spoken) {
  append_rpc_message(to_json(Hello{versions}), out.packets());
}

std::string ClientSession::Impl::command(std::string_view kind,
                                         std::optional<std::span<const std::string>> tests,
                                         bool exit) {
  auto nonce = nonce_prefix + std::to_string(++last_nonce);
  append_rpc_message(command_json(kind, tests, nonce, exit), command_buffer());
  in_flight.insert(nonce);
  return nonce;
}

std::optional<ClientEvent> ClientSession::Impl::next() {
  while (state != State::over) {
    if (const auto outcome = assembler.take()) return on_outcome(*outcome);
    const auto event = decoder.next();
    if (!event) return eof ? on_end() : std::nullopt;
    if (auto result = std::visit([this](const auto& kind) { return on_event(kind); }, *event))
      return result;
  }
  return std::nullopt;
}

std::optional<ClientEvent> ClientSession::Impl::on_event(const PacketView& packet) {
  switch (rpc_part(packet)) {
    case RpcPart::message:
      assembler.add(packet.file_content, packet.eof);
      return std::nullopt;
    case RpcPart::untyped:
      if (!assembler.expects_more() && is_output(*packet.file_name))
        return ServerOutput{*packet.file_name, packet.file_content, packet.eof};
      if (!assembler.expects_more())
        return fault("a file without a MIME type on the RPC's test id");
      assembler.add(packet.file_content, packet.eof);
      return std::nullopt;
    case RpcPart::text:
      if (is_output(*packet.file_name))
        return ServerOutput{*packet.file_name, packet.file_content, packet.eof};
      if (packet.file_content.empty()) return std::nullopt;
      return ServerError{std::string(as_text(packet.file_content))};
    case RpcPart::bare:
      return fault("a packet without a file on the RPC's test id");
    case RpcPart::other:
      break;
  }
  if (state == State::before_hello) return fault("a result before the server's Hello");
  current = packet;
  return ResultPacket{&current};
}

std::optional<ClientEvent> ClientSession::Impl::on_event(const ForeignBytes& foreign) {
  return ForeignOutput{foreign.bytes};
}

std::optional<ClientEvent> ClientSession::Impl::on_event(const DamagedPacket& damaged) {
  return damage("a damaged packet (" + std::string(to_string(damaged.reason)) + ")");
}

// Everything has been read. A message that was cut short is a fault of its own, before the end is
// judged.
std::optional<ClientEvent> ClientSession::Impl::on_end() {
  assembler.finish();
  if (const auto outcome = assembler.take()) return on_outcome(*outcome);
  if (state == State::before_hello) return fatal("the server's stream ended before its Hello");
  if (!in_flight.empty() && !goodbye_said)
    return fatal("the server's stream ended with " + std::to_string(in_flight.size()) +
                 " of our commands not done");
  state = State::over;
  return std::nullopt;
}

ClientEvent ClientSession::Impl::on_outcome(const MessageAssembler::Outcome& outcome) {
  if (!outcome) return damage("a bad message: " + outcome.error().reason);
  if (const auto* hello = std::get_if<Hello>(&*outcome)) return on_hello(*hello);
  if (const auto* done = std::get_if<Done>(&*outcome)) return on_done(*done);
  return fault("the server sent " + std::string(kind_names.at(outcome->index())) +
               ", which is for the client to send");
}

ClientEvent ClientSession::Impl::on_hello(const Hello& hello) {
  if (state == State::ready) return fault("a second Hello");
  const auto version = highest_common_version(versions, hello.versions);
  if (!version)
    return fatal("the server speaks versions " + range_text(hello.versions) +
                 " of the test-server RPC, we speak " + range_text(versions));
  state = State::ready;
  auto& packets = out.packets();
  packets.insert(packets.end(), held.begin(), held.end());
  held = {};
  return ServerReady{*version};
}

ClientEvent ClientSession::Impl::on_done(const Done& done) {
  if (state == State::before_hello) return fault("a Done before the server's Hello");
  if (in_flight.erase(done.nonce) + abandoned.erase(done.nonce) == 0)
    return damage("a Done for a nonce that is not in flight");
  return CommandDone{done.nonce};
}

ClientEvent ClientSession::Impl::fatal(std::string reason) {
  state = State::over;
  return PeerFault{std::move(reason), true};
}

ClientSession::ClientSession() : ClientSession(random_prefix()) {}
ClientSession::ClientSession(std::string nonce_prefix, VersionRange versions)
    : m_impl(std::make_unique<Impl>(std::move(nonce_prefix), versions)) {}
ClientSession::~ClientSession() = default;
ClientSession::ClientSession(ClientSession&&) noexcept = default;
ClientSession& ClientSession::operator=(ClientSession&&) noexcept = default;

std::string ClientSession::list(std::optional<std::span<const std::string>> tests) {
  return m_impl->command("List", tests);
}
std::string ClientSession::run(std::optional<std::span<const std::string>> tests, bool exit) {
  return m_impl->command("Run", tests, exit);
}
void ClientSession::abandon(const std::string& nonce) {
  if (m_impl->in_flight.erase(nonce) != 0) m_impl->abandoned.insert(nonce);
}
void ClientSession::goodbye() {
  if (std::exchange(m_impl->goodbye_said, true)) return;
  append_rpc_message(to_json(Goodbye{}), m_impl->command_buffer());
}
std::size_t ClientSession::in_flight() const {
  return m_impl->in_flight.size();
}

void ClientSession::receive(ByteView bytes) {
  if (m_impl->state != State::over) m_impl->decoder.feed(bytes);
}
void ClientSession::receive_eof() {
  m_impl->eof = true;
  m_impl->decoder.finish();
}
std::optional<ClientEvent> ClientSession::next() {
  return m_impl->next();
}

bool ClientSession::waiting() const {
  return m_impl->state != State::over && m_impl->decoder.waiting();
}
void ClientSession::give_up_waiting() {
  m_impl->decoder.give_up_waiting();
}

ByteView ClientSession::output() const {
  return m_impl->out.view();
}
void ClientSession::consume(std::size_t bytes) {
  m_impl->out.consume(bytes);
}

}  // namespace hearth::protocol
