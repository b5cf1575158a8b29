// What servers say.
#include "client/run/run_session.hpp"

#include <algorithm>

#include "client/run/made_result.hpp"

namespace hearth::client {

using protocol::TestStatus;

void RunSession::on_ready(ServerSlot& slot) {
  m_said_hello = true;
  if (m_phase == Phase::starting) {
    if (!m_plan.list_first) return choose();
    m_phase = Phase::listing;
  }
  if (m_phase == Phase::listing && m_lister == nullptr) return list_with(slot);
  if (m_phase != Phase::running) return;
  m_scheduler->worker_joined(slot.worker());
  give_out();
}

void RunSession::list_with(ServerSlot& slot) {
  m_lister = &slot;
  m_end.listed.clear();
  m_lists_by_name.reset();
  (void)slot.list();
}

// What it lists by name comes after the others.
void RunSession::on_listed(ServerSlot& slot) {
  if (!m_lists_by_name) {
    auto wanted = std::vector<std::string>();
    if (m_plan.wanted) wanted = m_plan.wanted(m_end.listed);
    m_lists_by_name = slot.list(wanted);
  } else {
    --*m_lists_by_name;
  }
  if (*m_lists_by_name == 0) choose();
}

void RunSession::on_result(ServerSlot& slot, const protocol::PacketView& packet) {
  if (m_phase == Phase::listing) {
    if (&slot == m_lister && packet.status == TestStatus::exists && packet.test_id &&
        !is_filtered(packet))
      m_end.listed.emplace_back(*packet.test_id);
    return;
  }
  if ((m_phase != Phase::running && m_phase != Phase::ending) || is_filtered(packet)) return;
  m_listener.on_packet(slot.worker(), packet);
  auto step = slot.results().apply(packet, m_clock.now());
  if (step.starts) {
    if (const auto task = m_ledger->started(slot.worker(), *packet.test_id)) {
      auto& first_given = m_seats[slot.worker()].first_given;
      if (first_given)
        m_scheduler->set_round_trip(slot.worker(), m_clock.now() - *std::exchange(first_given, {}));
      m_scheduler->started(slot.worker(), *task);
      auto& slots = m_end.outcome.slots;
      slots = std::max(slots, m_scheduler->slots());
      give_out();
    }
  }
  if (step.ends) book(slot, std::move(*step.ends));
}

bool RunSession::is_filtered(const protocol::PacketView& packet) const {
  const auto& tags = m_plan.filter_tags;
  return !tags.empty() && std::any_of(packet.tags.begin(), packet.tags.end(), [&](auto tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  });
}

void RunSession::book(ServerSlot& slot, TestReport report) {
  report.worker = slot.worker();
  const auto task = m_ledger->ended(slot.worker(), report.id);
  report.asked_for = task.has_value();
  if (!task) {
    m_ledger->book_stray(report.status);
    return tell(report);
  }
  m_seats[slot.worker()].losses = 0;
  const auto test = m_ledger->test_of(*task);
  report.attempt = m_ledger->attempt_of(*task);
  report.expected = m_chosen.tests[test].expected;
  m_scheduler->finished(slot.worker(), *task, report.duration());
  report.will_retry = m_ledger->book(*task, report.status);
  if (report.will_retry) m_ledger->add_attempt(m_scheduler->add(m_chosen.tests[test]), *task);
  tell(report);
  check_progress();
}

void RunSession::tell(const TestReport& report) {
  if (is_failure(report.status) && !report.will_retry && !report.lost)
    m_end.outcome.failures.push_back({report.id, short_cause(report)});
  m_listener.on_result(report, m_ledger->counts());
}

void RunSession::on_done(ServerSlot& slot, const std::string& nonce) {
  if (m_phase == Phase::listing) {
    if (&slot == m_lister) on_listed(slot);
    return;
  }
  auto& end_nonce = m_seats[slot.worker()].end_nonce;
  if (m_phase == Phase::ending && nonce == end_nonce) {
    end_nonce.clear();
    return leave_if_ended();
  }
  if (m_phase != Phase::running) return;
  book_left_out(slot, nonce);
  if (m_plan.isolated && slot.in_flight() == 0) slot.goodbye();
  check_progress();
}

// A test that has no result when its Run is done gets none from this server.
void RunSession::book_left_out(ServerSlot& slot, const std::string& nonce) {
  for (const auto task : m_ledger->done(slot.worker(), nonce)) {
    m_scheduler->finished(slot.worker(), task, std::nullopt);
    m_ledger->book_lost(task);
    const auto& id = m_ledger->id_of(task);
    const auto before = slot.results().take(id);
    m_end.outcome.missing.push_back(id);
    const auto made = make_failure(id, before ? before->route_code : "",
                                   "No result: the server left it out\n", wall_clock());
    m_listener.on_packet(slot.worker(), made.packet());
    auto report = made.report(before ? before->attachments : std::vector<Attachment>());
    report.worker = slot.worker();
    report.lost = true;
    tell(report);
  }
}

void RunSession::on_note(ServerSlot& slot, std::string_view line) {
  m_listener.on_note(numbered(slot, line));
}

std::string RunSession::numbered(const ServerSlot& slot, std::string_view line) const {
  if (m_seats.size() == 1) return std::string(line);
  return "[" + std::to_string(slot.worker()) + "] " + std::string(line);
}

}  // namespace hearth::client
