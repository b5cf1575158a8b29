#include "client/attach/tunnel_talk.hpp"

#include <utility>

#include "client/text.hpp"
#include "protocol/rpc_message.hpp"

namespace hearth::client {
namespace {

constexpr std::string_view listening_file = "listening";

// "ADDRESS", or "ADDRESS token HEX".
Announcement parse(std::string_view text) {
  constexpr std::string_view token_word = " token ";
  while (text.ends_with('\n')) text.remove_suffix(1);
  const auto token = text.find(token_word);
  if (token == text.npos) return {std::string(text), {}};
  return {std::string(text.substr(0, token)), std::string(text.substr(token + token_word.size()))};
}

}  // namespace

void TunnelTalk::feed(protocol::ByteView bytes) {
  m_decoder.feed(bytes);
  read();
}

void TunnelTalk::finish() {
  m_decoder.finish();
  read();
  end_line();
}

std::vector<std::string> TunnelTalk::take_lines() {
  return std::exchange(m_lines, {});
}

void TunnelTalk::read() {
  while (const auto event = m_decoder.next()) {
    if (const auto* const packet = std::get_if<protocol::PacketView>(&*event))
      on_packet(*packet);
    else if (const auto* const foreign = std::get_if<protocol::ForeignBytes>(&*event))
      on_text(protocol::as_text(foreign->bytes));
    else
      m_lines.emplace_back("a damaged packet");
  }
}

void TunnelTalk::on_packet(const protocol::PacketView& packet) {
  if (packet.test_id != protocol::rpc_test_id || !packet.file_name) return;
  const auto text = protocol::as_text(packet.file_content);
  if (*packet.file_name != listening_file) {
    on_text(text);
    if (packet.eof) end_line();
  } else if (!m_announcement && !text.empty()) {
    m_announcement = parse(text);
  }
}

void TunnelTalk::on_text(std::string_view text) {
  m_text.add(text, [this](std::string_view line) { m_lines.push_back(printable_line(line)); });
}

void TunnelTalk::end_line() {
  m_text.finish([this](std::string_view line) { m_lines.push_back(printable_line(line)); });
}

}  // namespace hearth::client
