#include "shim/noise.hpp"

#include <algorithm>

#include "protocol/rpc_packet.hpp"
#include "protocol/utf8.hpp"

namespace hearth::shim {
namespace {

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Bytes at the end that are the beginning of a character.
std::size_t unfinished(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(3, text.size()); ++size) {
    const std::string_view end = text.substr(text.size() - size);
    if (continues_character(end.front())) continue;
    return protocol::character_length(end) < 0 ? size : 0;
  }
  return 0;
}

}  // namespace

void Noise::add(std::string_view bytes) {
  remember(bytes);
  if (m_in_character) {
    while (!bytes.empty() && continues_character(bytes.front())) {
      bytes.remove_prefix(1);
      ++m_dropped;
    }
    if (bytes.empty()) return;
    m_in_character = false;
  }
  note_dropped();
  m_pending.append(bytes);
}

void Noise::drop(std::string_view bytes) {
  remember(bytes);
  if (m_dropped == 0) {
    const std::size_t cut = unfinished(m_pending);
    m_pending.resize(m_pending.size() - cut);
    m_dropped += cut;
  }
  m_dropped += bytes.size();
  m_in_character = true;
}

void Noise::note_dropped() {
  if (m_dropped == 0) return;
  m_pending += "\n[hearth-shim: " + std::to_string(m_dropped) +
               " bytes of output were dropped here, since the client did not read]\n";
  m_dropped = 0;
}

void Noise::take(std::size_t limit, protocol::Bytes& packets) {
  std::size_t size = std::min(limit, m_pending.size());
  size -= unfinished(std::string_view(m_pending).substr(0, size));
  put(size, false, packets);
}

void Noise::finish(protocol::Bytes& packets) {
  note_dropped();
  if (m_begun || !m_pending.empty()) put(m_pending.size(), true, packets);
}

void Noise::put(std::size_t size, bool last, protocol::Bytes& packets) {
  if (size == 0 && !last) return;
  const std::string_view content = std::string_view(m_pending).substr(0, size);
  const bool text = protocol::scan_utf8(content).valid == content.size();
  // Names and types are ours: this cannot fail.
  (void)protocol::encode_file(
      {.test_id = protocol::rpc_test_id,
       .mime_type = text ? protocol::text_mime_type : protocol::octets_mime_type,
       .file_name = m_name,
       .file_content = protocol::as_bytes(content),
       .eof = last},
      packets);
  m_pending.erase(0, size);
  m_begun = true;
}

void Noise::remember(std::string_view bytes) {
  if (bytes.size() >= max_tail) m_tail.clear();
  m_tail.append(bytes.substr(bytes.size() - std::min(bytes.size(), max_tail)));
  if (m_tail.size() > max_tail) m_tail.erase(0, m_tail.size() - max_tail);
}

}  // namespace hearth::shim
