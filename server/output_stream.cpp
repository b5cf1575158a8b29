#include "server/output_stream.hpp"

#include <utility>

#include "server/text.hpp"

namespace hearth::server {
namespace {

constexpr std::string_view text_type = "text/plain;charset=utf8";
constexpr std::string_view binary_type = "application/octet-stream";

}  // namespace

void OutputStream::add(std::string_view bytes, const Emit& emit) {
  if (m_limit != 0 && m_kept + bytes.size() > m_limit) {
    const auto kept = static_cast<std::size_t>(m_limit - m_kept);
    m_cut += bytes.size() - kept;
    bytes = bytes.substr(0, kept);
  }
  m_kept += bytes.size();
  if (bytes.empty()) return;
  if (m_binary) {
    emit(m_name + ".bin", binary_type, bytes, false);
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
    emit(m_name, text_type, bytes.substr(0, scan.valid), false);
    m_text_begun = true;
  }
  bytes.remove_prefix(scan.valid);
  if (bytes.empty()) return;
  if (scan.may_be_cut_off) {
    m_unfinished = bytes;
  } else {
    become_binary(bytes, emit);
  }
}

void OutputStream::become_binary(std::string_view bytes, const Emit& emit) {
  m_binary = true;
  emit(m_name + ".bin", binary_type, bytes, false);
}

void OutputStream::finish(const Emit& emit) {
  if (!m_unfinished.empty()) become_binary(std::exchange(m_unfinished, {}), emit);
  if (m_binary) emit(m_name + ".bin", binary_type, {}, true);
  std::string note;
  if (m_cut > 0) {
    note = "\n[" + std::to_string(m_cut) + " bytes more were written to " + m_name + "; the limit is " +
           std::to_string(m_limit) + " bytes]\n";
  }
  if (m_text_begun || !note.empty()) emit(m_name, text_type, note, true);
}

}  // namespace hearth::server
