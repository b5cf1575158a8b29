#include "client/reports/attachment_limit.hpp"

#include <algorithm>

namespace hearth::client {

using protocol::PacketView;
using protocol::TestStatus;

namespace {

bool is_final(TestStatus status) {
  return status != TestStatus::undefined && status != TestStatus::exists &&
         status != TestStatus::inprogress;
}

// Where to cut near `at`: not within a character of UTF-8.
std::size_t character_end(protocol::ByteView content, std::size_t at) {
  constexpr std::size_t longest = 3;  // bytes of a character behind its first
  auto end = at;
  while (end < content.size() && end < at + longest &&
         (static_cast<unsigned char>(content[end]) & 0xc0U) == 0x80U)
    ++end;
  return end;
}

}  // namespace

std::vector<AttachmentLimit::Piece> AttachmentLimit::pieces(std::uint64_t source,
                                                            const PacketView& packet) {
  std::vector<Piece> pieces;
  if (!packet.test_id) return pieces;
  const Key key{source, std::string(*packet.test_id), std::string(packet.route_code.value_or(""))};
  if (packet.file_name) {
    auto& files = m_open[key];
    auto file = files.find(*packet.file_name);
    if (file == files.end()) file = files.emplace(std::string(*packet.file_name), Attached()).first;
    auto& [name, attached] = *file;
    auto rest = packet.file_content;
    const auto part_name = [&, base = name](unsigned part) {
      return part == 1 ? base : base + "." + std::to_string(part);
    };
    while (attached.size + rest.size() > m_limit) {
      const auto cut = character_end(rest, m_limit - std::min(m_limit, attached.size));
      if (cut == rest.size()) break;
      pieces.push_back({part_name(attached.part), rest.first(cut), true});
      rest = rest.subspan(cut);
      attached = {attached.part + 1, 0};
    }
    attached.size += rest.size();
    if (!pieces.empty() || attached.part > 1)
      pieces.push_back({part_name(attached.part), rest, packet.eof});
    if (packet.eof) files.erase(file);
    if (files.empty()) m_open.erase(key);
  }
  if (is_final(packet.status)) m_open.erase(key);
  return pieces;
}

}  // namespace hearth::client
