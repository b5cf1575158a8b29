#include "protocol/output_stream.hpp"

#include <utility>

#include "protocol/rpc_packet.hpp"
#include "protocol/utf8.hpp"

namespace hearth::protocol {
namespace {}  // namespace

void OutputStream::add(std::string_view bytes, const Emit& emit) {
  if (m_limit != 0 && m_kept + bytes.size() > m_limit) {
    const auto kept = static_cast<std::size_t>(m_limit - m_kept);
    m_cut += bytes.size() - kept;
    bytes = bytes.substr(0, kept);
  }
  m_kept += bytes.size();
  if (bytes.empty()) return;
  if (m_kind == Kind::octets) {
    emit(m_name, octets_mime_type, bytes, false);
  } else if (m_unfinished.empty()) {
    add_text(bytes, emit);
  } else {
    const std::string joined = std::exchange(m_unfinished, {}) + std::string(bytes);
    add_text(joined, emit);
  }
}

void OutputStream::add_text(std::string_view bytes, const Emit& emit) {
  const Utf8Scan scan = scan_utf8(bytes);
  if (scan.valid > 0) {
    emit(m_name, text_mime_type, bytes.substr(0, scan.valid), false);
    m_kind = Kind::text;
  }
  bytes.remove_prefix(scan.valid);
  if (bytes.empty()) return;
  if (scan.may_be_cut_off) {
    m_unfinished = bytes;
  } else {
    become_octets(bytes, emit);
  }
}

void OutputStream::become_octets(std::string_view bytes, const Emit& emit) {
  if (m_kind == Kind::text) {
    emit(m_name, text_mime_type, {}, true);
    m_name += ".bin";
  }
  m_kind = Kind::octets;
  emit(m_name, octets_mime_type, bytes, false);
}

void OutputStream::interrupt(const Emit& emit) {
  if (!m_unfinished.empty()) become_octets(std::exchange(m_unfinished, {}), emit);
}

void OutputStream::finish(const Emit& emit) {
  if (m_cut > 0)
    m_cut += std::exchange(m_unfinished, {}).size();  // the limit fell into a character
  interrupt(emit);
  if (m_kind == Kind::nothing && m_cut == 0) return;
  std::string note;
  if (m_cut > 0) {
    note = "\n[cut here: " + std::to_string(m_cut) +
           " bytes more were written; the output limit is " + std::to_string(m_limit) + " bytes]\n";
  }
  emit(m_name, m_kind == Kind::octets ? octets_mime_type : text_mime_type, note, true);
}

}  // namespace hearth::protocol
