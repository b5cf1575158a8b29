#include "client/history/stream_reader.hpp"

#include <charconv>
#include <fstream>
#include <functional>
#include <unordered_map>
#include <utility>

#include "client/history/attachment_store.hpp"
#include "client/history/files.hpp"
#include "protocol/subunit_v1.hpp"

namespace hearth::client {
namespace {

using protocol::TestStatus;

std::optional<Worker> worker_of(std::string_view tag) {
  if (!tag.starts_with(worker_tag)) return std::nullopt;
  tag.remove_prefix(worker_tag.size());
  Worker number = 0;
  const auto [end, fault] = std::from_chars(tag.data(), tag.data() + tag.size(), number);
  if (fault != std::errc() || end != tag.data() + tag.size()) return std::nullopt;
  return number;
}

class V1Reader {
 public:
  V1Reader(Detail detail, const ResultSink& sink) : m_detail(detail), m_sink(sink) {}

  void feed(std::string_view text) {
    m_parser.feed(protocol::as_bytes(text));
    drain();
  }
  std::size_t finish() {
    m_parser.finish();
    drain();
    return m_foreign;
  }

 private:
  void drain() {
    while (auto event = m_parser.next()) std::visit([this](auto& one) { apply(one); }, *event);
  }

  void apply(const protocol::v1::TestStarted&) { m_started = m_now; }
  void apply(const protocol::v1::TimeStamped& time) { m_now = time.when; }
  void apply(const protocol::v1::Tagged& tags) {
    for (const auto& tag : tags.removed)
      if (worker_of(tag) == m_worker) m_worker.reset();
    for (const auto& tag : tags.added)
      if (const auto worker = worker_of(tag)) m_worker = worker;
  }
  void apply(const protocol::v1::Progress&) {}
  void apply(const protocol::v1::ForeignLine& line) { m_foreign += line.text.size(); }
  void apply(protocol::v1::TestEnded& test) { emit(test.test_id, test.status, test.attachments); }
  void apply(protocol::v1::Damaged& test) {
    emit(test.test_id, TestStatus::inprogress, test.attachments);
  }

  void emit(std::string& id, TestStatus status,
            std::vector<protocol::v1::Attachment>& attachments) {
    StoredResult result;
    result.id = std::move(id);
    result.status = status;
    result.started_at = m_started;
    result.worker = m_worker;
    if (m_started && m_now && status != TestStatus::inprogress)
      result.duration = *m_now - *m_started;
    if (m_detail == Detail::everything)
      for (auto& one : attachments)
        result.attachments.push_back({std::move(one.name), std::move(one.mime_type),
                                      std::string(protocol::as_text(one.content)),
                                      one.content.size()});
    m_sink(std::move(result));
  }

  Detail m_detail;
  const ResultSink& m_sink;
  protocol::v1::Parser m_parser;
  std::optional<protocol::Timestamp> m_now;
  std::optional<protocol::Timestamp> m_started;
  std::optional<Worker> m_worker;
  std::size_t m_foreign = 0;
};

class V2Reader {
 public:
  V2Reader(Detail detail, const ResultSink& sink) : m_detail(detail), m_sink(sink) {}

  void feed(std::string_view bytes) {
    m_decoder.feed(protocol::as_bytes(bytes));
    drain();
  }
  std::size_t finish() {
    m_decoder.finish();
    drain();
    for (auto& [key, open] : m_open) {
      open.attachments = m_attachments.take(open.source, open.id);
      emit(open, TestStatus::inprogress, std::nullopt);
    }
    return m_foreign;
  }

 private:
  struct Open : StoredResult {
    std::uint64_t source = 0;
  };

  void drain() {
    while (auto event = m_decoder.next()) {
      if (const auto* packet = std::get_if<protocol::PacketView>(&*event))
        apply(*packet);
      else if (const auto* foreign = std::get_if<protocol::ForeignBytes>(&*event))
        m_foreign += foreign->bytes.size();
      else
        m_foreign += std::get<protocol::DamagedPacket>(*event).bytes.size();
    }
  }

  void apply(const protocol::PacketView& packet) {
    if (!packet.test_id || packet.status == TestStatus::exists) return;
    const auto source = std::hash<std::string_view>()(packet.route_code.value_or(""));
    if (m_detail == Detail::everything) m_attachments.add(source, packet);
    if (packet.status == TestStatus::undefined && packet.tags.empty()) return;
    auto& open = m_open[key_of(source, *packet.test_id)];
    open.source = source;
    if (open.id.empty()) open.id = *packet.test_id;
    for (const auto tag : packet.tags) {
      if (const auto worker = worker_of(tag)) open.worker = worker;
      open.retried = open.retried || tag == retried_tag;
      open.flaky = open.flaky || tag == flaky_tag;
    }
    if (packet.status == TestStatus::inprogress) open.started_at = packet.timestamp;
    if (packet.status <= TestStatus::inprogress) return;
    open.attachments = m_attachments.take(source, open.id);
    emit(open, packet.status, packet.timestamp);
    m_open.erase(key_of(source, *packet.test_id));
  }

  static std::string key_of(std::uint64_t source, std::string_view id) {
    return std::to_string(source) + " " + std::string(id);
  }

  void emit(Open& open, TestStatus status, std::optional<protocol::Timestamp> when) {
    open.status = status;
    if (open.started_at && when) open.duration = *when - *open.started_at;
    m_sink(std::move(open));
  }

  Detail m_detail;
  const ResultSink& m_sink;
  protocol::PacketDecoder m_decoder;
  AttachmentStore m_attachments;
  std::unordered_map<std::string, Open> m_open;
  std::size_t m_foreign = 0;
};

constexpr char v2_signature = '\xB3';

}  // namespace

bool is_v2(const std::string& path) {
  return std::ifstream(path, std::ios::binary).get() == static_cast<unsigned char>(v2_signature);
}

Expected<std::size_t> read_stream(const std::string& path, Detail detail, const ResultSink& sink) {
  std::optional<std::variant<V1Reader, V2Reader>> reader;
  const auto read = read_pieces(path, [&](std::string_view piece) {
    if (!reader && piece.front() == v2_signature)
      reader.emplace(std::in_place_type<V2Reader>, detail, sink);
    if (!reader) reader.emplace(std::in_place_type<V1Reader>, detail, sink);
    std::visit([&](auto& one) { one.feed(piece); }, *reader);
  });
  if (!read) return tl::unexpected(read.error());
  if (!reader) return std::size_t{0};
  return std::visit([](auto& one) { return one.finish(); }, *reader);
}

}  // namespace hearth::client
