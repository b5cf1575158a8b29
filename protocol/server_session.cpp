#include "protocol/server_session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "protocol/message_assembler.hpp"
#include "protocol/output_buffer.hpp"
#include "protocol/rpc_packet.hpp"

namespace hearth::protocol {
namespace {

enum class State : std::uint8_t { before_hello, ready, over };

enum class Action : std::uint8_t {
  greet,
  command,
  leave,
  refuse_early,
  refuse_second,
  refuse_done
};

using enum Action;
// By state and by the message's place in the variant Message. In State::over nothing is read.
constexpr std::array<std::array<Action, std::variant_size_v<Message>>, 2> actions{{
    //                Hello          Goodbye       List          Run           Done
    /* before */ {{greet, leave, refuse_early, refuse_early, refuse_done}},
    /* ready  */ {{refuse_second, leave, command, command, refuse_done}},
}};

constexpr std::array<std::string_view, std::variant_size_v<Message>> kind_names{
    "Hello", "Goodbye", "List", "Run", "Done"};

// The decimal digits of a route code, without an allocation.
class RouteCode {
 public:
  explicit RouteCode(std::uint64_t ordinal)
      : m_end(std::to_chars(m_digits.data(), m_digits.data() + m_digits.size(), ordinal).ptr) {}
  RouteCode(const RouteCode&) = delete;
  RouteCode& operator=(const RouteCode&) = delete;
  [[nodiscard]] std::string_view text() const {
    return {m_digits.data(), static_cast<std::size_t>(m_end - m_digits.data())};
  }

 private:
  std::array<char, 20> m_digits;
  char* m_end;
};

std::string range_text(VersionRange range) {
  if (range.min == range.max) return "version " + std::to_string(range.max);
  return "versions " + std::to_string(range.min) + " to " + std::to_string(range.max);
}

}  // namespace

struct ServerSession::Impl {
  VersionRange versions;
  State state = State::before_hello;
  PacketDecoder decoder;
  MessageAssembler assembler;
  OutputBuffer out;
  std::unordered_map<std::uint64_t, std::string> nonces;  // of commands that are not done
  std::uint64_t last_ordinal = 0;
  std::uint64_t message_number = 0;  // of the message in hand, from 1
  std::uint64_t stream_offset = 0;   // of the event in hand in the client's bytes
  bool in_gap = false;               // an error was reported since the last whole packet
  bool in_refused_file = false;      // likewise, for a file that is no message, until its EOF
  bool eof = false;

  explicit Impl(VersionRange spoken) : versions(spoken) {}

  std::optional<ServerEvent> next();
  bool read_event();
  void on_event(const PacketView& packet);
  void on_event(const ForeignBytes& foreign);
  void on_event(const DamagedPacket& damaged);
  void report_gap(std::string_view what, std::size_t size);

  std::optional<ServerEvent> on_outcome(MessageAssembler::Outcome outcome);
  void on_bad_message(const MessageError& error);
  std::optional<ServerEvent> greet_client(const Hello& hello);
  ServerEvent accept_command(Message& message);
  void leave_out_reserved(std::optional<std::vector<std::string>>& tests);

  void send(const Message& message) { append_rpc_message(to_json(message), out.packets()); }
  void refuse_message(std::string_view why);
  void report(std::string_view text);
  [[nodiscard]] bool may_send(std::string_view test_id);
  void check(const EncodeResult& result);
};

std::optional<ServerEvent> ServerSession::Impl::next() {
  while (state != State::over) {
    if (auto outcome = assembler.take()) {
      if (auto event = on_outcome(std::move(*outcome))) return event;
    } else if (!read_event()) {
      if (eof) state = State::over;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// One event of the decoder; at the end of the stream, what is left of a message. False: nothing to
// read.
bool ServerSession::Impl::read_event() {
  if (const auto event = decoder.next()) {
    std::visit([this](const auto& kind) { on_event(kind); }, *event);
    return true;
  }
  if (!eof) return false;
  assembler.finish();
  if (auto outcome = assembler.take()) (void)on_outcome(std::move(*outcome));
  return false;
}

void ServerSession::Impl::on_event(const PacketView& packet) {
  in_gap = false;
  stream_offset += packet.wire.size();
  const auto part = rpc_part(packet);
  if (part == RpcPart::message || (part == RpcPart::untyped && assembler.expects_more())) {
    assembler.add(packet.file_content, packet.eof);
  } else if (part == RpcPart::untyped || part == RpcPart::text) {
    if (!in_refused_file)
      report("a file on the RPC's test id that is not application/json; ignored");
    in_refused_file = !packet.eof;
    return;
  }
  // Version 1 gives no meaning to anything else that a client sends.
  if (part != RpcPart::other) in_refused_file = false;
}

void ServerSession::Impl::on_event(const ForeignBytes& foreign) {
  report_gap("bytes that are no subunit v2 packet", foreign.bytes.size());
}

void ServerSession::Impl::on_event(const DamagedPacket& damaged) {
  report_gap("a damaged packet (" + std::string(to_string(damaged.reason)) + ")",
             damaged.bytes.size());
}

void ServerSession::Impl::report_gap(std::string_view what, std::size_t size) {
  if (!in_gap)
    report(std::string(what) + " at offset " + std::to_string(stream_offset) +
           " of the client's stream; skipped up to the next packet");
  in_gap = true;
  stream_offset += size;
}

std::optional<ServerEvent> ServerSession::Impl::on_outcome(MessageAssembler::Outcome outcome) {
  ++message_number;
  if (!outcome) {
    on_bad_message(outcome.error());
    return std::nullopt;
  }
  auto& message = *outcome;
  switch (actions.at(static_cast<std::size_t>(state)).at(message.index())) {
    case greet:
      return greet_client(std::get<Hello>(message));
    case command:
      return accept_command(message);
    case leave:
      state = State::over;
      return ClientSaidGoodbye{};
    case refuse_early:
      refuse_message(std::string(kind_names.at(message.index())) +
                     " before Hello; a session begins with Hello");
      return std::nullopt;
    case refuse_second:
      refuse_message("a second Hello; a session has one");
      return std::nullopt;
    case refuse_done:
      refuse_message("Done is for the server to send");
      return std::nullopt;
  }
  return std::nullopt;
}

void ServerSession::Impl::on_bad_message(const MessageError& error) {
  refuse_message(error.reason);
  if (error.nonce && state == State::ready) send(Done{*error.nonce});
}

std::optional<ServerEvent> ServerSession::Impl::greet_client(const Hello& hello) {
  send(Hello{versions});
  if (highest_common_version(versions, hello.versions)) {
    state = State::ready;
    return std::nullopt;
  }
  state = State::over;
  return SessionRefused{"the client speaks " + range_text(hello.versions) +
                        " of the test-server RPC, this server " + range_text(versions) +
                        "; use releases of both that have a version in common"};
}

ServerEvent ServerSession::Impl::accept_command(Message& message) {
  const auto ordinal = ++last_ordinal;
  const auto accept = [&](auto& command_message) {
    leave_out_reserved(command_message.tests);
    nonces.emplace(ordinal, std::move(command_message.nonce));
    return std::move(command_message.tests);
  };
  if (auto* list = std::get_if<List>(&message)) return ListRequested{ordinal, accept(*list)};
  auto& run = std::get<Run>(message);
  return RunRequested{ordinal, accept(run), run.exit};
}

void ServerSession::Impl::leave_out_reserved(std::optional<std::vector<std::string>>& tests) {
  if (!tests || std::erase(*tests, rpc_test_id) == 0) return;
  refuse_message("the test id " + std::string(rpc_test_id) +
                 " was left out: it is the RPC's own, so no packet may carry it as a test's");
}

void ServerSession::Impl::refuse_message(std::string_view why) {
  report("message " + std::to_string(message_number) + " of this session: " + std::string(why));
}

void ServerSession::Impl::report(std::string_view text) {
  append_rpc_error(text, out.packets());
}

bool ServerSession::Impl::may_send(std::string_view test_id) {
  if (state == State::over) return false;
  if (test_id != rpc_test_id) return true;
  report("a packet for a test called " + std::string(rpc_test_id) +
         " was withheld: the id is the RPC's own; rename the test");
  return false;
}

void ServerSession::Impl::check(const EncodeResult& result) {
  if (!result)
    report("a packet for a test was withheld: " + std::string(to_string(result.error())));
}

ServerSession::ServerSession(VersionRange versions) : m_impl(std::make_unique<Impl>(versions)) {}
ServerSession::~ServerSession() = default;
ServerSession::ServerSession(ServerSession&&) noexcept = default;
ServerSession& ServerSession::operator=(ServerSession&&) noexcept = default;

void ServerSession::receive(ByteView bytes) {
  if (m_impl->state != State::over) m_impl->decoder.feed(bytes);
}

void ServerSession::receive_eof() {
  m_impl->eof = true;
  m_impl->decoder.finish();
}

std::optional<ServerEvent> ServerSession::next() {
  return m_impl->next();
}

bool ServerSession::waiting() const {
  return m_impl->state != State::over && m_impl->decoder.waiting();
}
void ServerSession::give_up_waiting() {
  m_impl->decoder.give_up_waiting();
}

void ServerSession::exists(std::uint64_t ordinal, std::string_view test_id) {
  if (!m_impl->may_send(test_id)) return;
  const RouteCode route(ordinal);
  m_impl->check(encode({.status = TestStatus::exists,
                        .runnable = true,
                        .test_id = test_id,
                        .route_code = route.text()},
                       m_impl->out.packets()));
}

void ServerSession::started(std::uint64_t ordinal, std::string_view test_id, Timestamp when) {
  if (!m_impl->may_send(test_id)) return;
  const RouteCode route(ordinal);
  m_impl->check(encode({.status = TestStatus::inprogress,
                        .runnable = true,
                        .test_id = test_id,
                        .route_code = route.text(),
                        .timestamp = when},
                       m_impl->out.packets()));
}

void ServerSession::attach(std::uint64_t ordinal, std::string_view test_id,
                           std::string_view file_name, std::string_view mime_type, ByteView content,
                           bool last) {
  if (!m_impl->may_send(test_id)) return;
  const RouteCode route(ordinal);
  m_impl->check(encode_file({.test_id = test_id,
                             .route_code = route.text(),
                             .mime_type = mime_type,
                             .file_name = file_name,
                             .file_content = content,
                             .eof = last},
                            m_impl->out.packets()));
}

void ServerSession::finished(std::uint64_t ordinal, std::string_view test_id, TestStatus status,
                             Timestamp when, std::span<const std::string_view> tags) {
  if (!m_impl->may_send(test_id)) return;
  const RouteCode route(ordinal);
  Packet packet{.status = status,
                .runnable = true,
                .test_id = test_id,
                .route_code = route.text(),
                .timestamp = when,
                .tags = tags};
  auto result = encode(packet, m_impl->out.packets());
  if (!result) {  // the status matters more than what goes with it
    packet.timestamp.reset();
    packet.tags = {};
    m_impl->check(result);
    result = encode(packet, m_impl->out.packets());
  }
  m_impl->check(result);
}

void ServerSession::done(std::uint64_t ordinal) {
  const auto nonce = m_impl->nonces.find(ordinal);
  if (nonce == m_impl->nonces.end()) return;
  if (m_impl->state != State::over) m_impl->send(Done{std::move(nonce->second)});
  m_impl->nonces.erase(nonce);
}

void ServerSession::report_error(std::string_view text) {
  if (m_impl->state != State::over) m_impl->report(text);
}

ByteView ServerSession::output() const {
  return m_impl->out.view();
}
void ServerSession::consume(std::size_t bytes) {
  m_impl->out.consume(bytes);
}
void ServerSession::discard_output() {
  m_impl->out.drop_unstarted();
}

}  // namespace hearth::protocol
