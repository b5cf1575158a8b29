#include "client/history/attachment_store.hpp"

#include <algorithm>

#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t half = AttachmentStore::attachment_limit / 2;
// So that a peer's flood of empty attachments is bounded as well.
constexpr std::size_t max_pieces = 256;
// Far more than run at a time.
constexpr std::size_t max_tests = 16384;

// Of characters that were cut: what is left at the end of one text and at the beginning of the
// other.
void drop_halves(std::string& before, std::string& after) {
  constexpr std::size_t longest = 4;  // bytes of a character
  const auto begin = before.size() - std::min(before.size(), longest);
  for (auto at = begin; at < before.size(); ++at) {
    const auto scan = protocol::scan_utf8(std::string_view(before).substr(at));
    if (scan.valid + at == before.size()) break;
    if (!scan.may_be_cut_off) continue;
    before.resize(at + scan.valid);
    break;
  }
  std::size_t rest = 0;
  while (rest < after.size() && rest + 1 < longest &&
         (static_cast<unsigned char>(after[rest]) & 0xC0U) == 0x80U)
    ++rest;
  after.erase(0, rest);
}

}  // namespace

void AttachmentStore::add(std::uint64_t source, const protocol::PacketView& packet) {
  if (!packet.test_id || !packet.file_name) return;
  auto open = std::find_if(m_open.begin(), m_open.end(), [&](const Open& test) {
    return test.source == source && test.id == *packet.test_id;
  });
  if (open == m_open.end() && m_open.size() >= max_tests) return;
  if (open == m_open.end())
    open = m_open.insert(m_open.end(), Open{source, std::string(*packet.test_id), {}});
  auto& pieces = open->pieces;
  auto piece = std::find_if(pieces.begin(), pieces.end(),
                            [&](const Piece& one) { return one.name == *packet.file_name; });
  if (piece == pieces.end()) {
    if (pieces.size() >= max_pieces) return;
    piece = pieces.insert(piece, Piece{std::string(*packet.file_name), "", "", "", 0});
  }
  if (packet.mime_type && piece->mime_type.empty()) piece->mime_type = *packet.mime_type;
  append(*piece, protocol::as_text(packet.file_content));
}

void AttachmentStore::append(Piece& piece, std::string_view content) {
  piece.size += content.size();
  const auto take_into = [&](std::string& text, std::size_t most) {
    const std::size_t room = total_limit - std::min(total_limit, m_bytes);
    const auto taken = content.substr(0, std::min(room, most));
    text += taken;
    m_bytes += taken.size();
    content.remove_prefix(taken.size());
  };
  if (piece.tail.empty() && piece.head.size() < half)
    take_into(piece.head, half - piece.head.size());
  while (!content.empty()) {
    if (piece.tail.size() == 2 * half) {
      piece.tail.erase(0, half);
      m_bytes -= half;
    }
    const std::size_t before = content.size();
    take_into(piece.tail, 2 * half - piece.tail.size());
    if (content.size() == before) return;  // no room is left
  }
}

Attachment AttachmentStore::finished(Piece& piece) {
  Attachment attachment{std::move(piece.name), std::move(piece.mime_type), std::move(piece.head),
                        piece.size};
  if (piece.tail.size() > half) piece.tail.erase(0, piece.tail.size() - half);
  // testr cannot read a repository with text that is not UTF-8.
  const bool is_cut = attachment.text.size() + piece.tail.size() < piece.size;
  if (is_cut && attachment.mime_type.starts_with("text/")) drop_halves(attachment.text, piece.tail);
  const std::size_t kept = attachment.text.size() + piece.tail.size();
  if (kept < piece.size)
    attachment.text += "\n[" + std::to_string(piece.size - kept) + " bytes were not kept]\n";
  attachment.text += piece.tail;
  return attachment;
}

std::vector<Attachment> AttachmentStore::take(std::uint64_t source, std::string_view id) {
  const auto open = std::find_if(m_open.begin(), m_open.end(), [&](const Open& test) {
    return test.source == source && test.id == id;
  });
  if (open == m_open.end()) return {};
  std::vector<Attachment> attachments;
  for (auto& piece : open->pieces) {
    m_bytes -= piece.head.size() + piece.tail.size();
    attachments.push_back(finished(piece));
  }
  m_open.erase(open);
  return attachments;
}

}  // namespace hearth::client
