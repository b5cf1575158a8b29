// What servers say.
#include "client/run/run_session.hpp"

#include <algorithm>

#include "client/run/made_result.hpp"
#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

constexpr unsigned most_lists = 3;  // that arrive damaged, before there is none

}  // namespace

void RunSession::on_ready(ServerSlot& slot) {
  m_said_hello = true;
  if (m_phase == Phase::starting) {
    if (!m_plan.list_first) return choose();
    m_phase = Phase::listing;
  }
  if (m_phase == Phase::listing && m_lister == nullptr) return list_with(slot);
  if (m_phase != Phase::running) return;
  m_ledger->lost(slot.worker());  // a new session: its route codes begin anew
  m_scheduler->worker_joined(slot.worker());
  give_out();
}

void RunSession::list_with(ServerSlot& slot) {
  m_lister = &slot;
  m_end.listed.clear();
  m_listed_by_name = false;
  m_named.clear();
  m_list_damage.clear();
  ++m_times_listed;
  for (const auto& nonce : m_lists) slot.abandon(nonce);
  m_lists = {slot.list()};
}

// A list that arrived damaged proves nothing: a test that is not in it would not be missed.
void RunSession::list_again(ServerSlot& slot) {
  if (m_times_listed < most_lists) {
    m_listener.on_note(numbered(slot, "the list of tests did not arrive whole (" + m_list_damage +
                                          "): asking for it again"));
    return list_with(slot);
  }
  m_end.outcome.doubts.push_back("the list of tests is not complete: it did not arrive whole " +
                                 counted(m_times_listed, "time") + " (" + m_list_damage + ")");
  leave();
}

void RunSession::on_damage(ServerSlot& slot, const std::string& what) {
  if (m_phase == Phase::listing && &slot == m_lister) m_list_damage = what;
}

// What it lists by name comes after the others.
void RunSession::on_listed(ServerSlot& slot) {
  if (!m_list_damage.empty()) return list_again(slot);
  drop_repeated_ids(slot);
  if (!std::exchange(m_listed_by_name, true) && m_plan.wanted) {
    auto wanted = m_plan.wanted(m_end.listed);
    for (auto& nonce : slot.list(wanted)) m_lists.insert(std::move(nonce));
    m_named = {std::make_move_iterator(wanted.begin()), std::make_move_iterator(wanted.end())};
    if (!m_lists.empty()) return;
  }
  for (const auto& id : m_end.listed) m_listed.push_back(std::hash<std::string_view>()(id));
  std::sort(m_listed.begin(), m_listed.end());
  choose();
}

void RunSession::drop_repeated_ids(const ServerSlot& slot) {
  std::unordered_set<std::string> known;
  std::string first;
  const auto repeated = std::erase_if(m_end.listed, [&](const std::string& id) {
    if (known.insert(id).second) return false;
    if (first.empty()) first = id;
    return true;
  });
  if (repeated != 0)
    m_listener.on_note(numbered(slot, "the server broke the protocol: it lists " +
                                          counted(repeated, "test") + " more than once (" +
                                          printable_line(first) + "); each counts once"));
}

// A list that goes on after its Done was not complete when it was taken for that.
void RunSession::check_late_listing(ServerSlot& slot, const protocol::PacketView& packet) {
  if (&slot != m_lister || !packet.test_id || is_filtered(packet)) return;
  const auto hash = std::hash<std::string_view>()(*packet.test_id);
  if (std::binary_search(m_listed.begin(), m_listed.end(), hash)) return;
  if (!m_list_damage.empty()) return;
  m_list_damage = "it went on after its Done";
  m_end.outcome.doubts.push_back(
      "the list of tests is not complete: after the server had said that "
      "it was (Done), it listed " +
      printable_line(*packet.test_id) + ", which was not run");
  m_listener.on_note(
      numbered(slot, "the server broke the protocol: " + m_end.outcome.doubts.back()));
}

void RunSession::on_result(ServerSlot& slot, const protocol::PacketView& packet) {
  if (m_phase == Phase::listing) {
    if (&slot == m_lister && packet.status == TestStatus::exists && packet.test_id &&
        !is_filtered(packet)) {
      if (m_listed_by_name && !m_named.contains(std::string(*packet.test_id)))
        m_list_damage = "it went on after its Done";
      m_end.listed.emplace_back(*packet.test_id);
    }
    return;
  }
  if (packet.status == TestStatus::exists) return check_late_listing(slot, packet);
  if ((m_phase != Phase::running && m_phase != Phase::ending) || slot.is_leaving() ||
      is_filtered(packet))
    return;
  // What nobody asked for and is no failure is shown, and handed to nobody who would count it.
  const bool counts =
      packet.status == TestStatus::undefined || is_failure(packet.status) || !packet.test_id ||
      m_ledger->expects(slot.worker(), *packet.test_id, packet.route_code.value_or(""));
  if (counts) m_listener.on_packet(slot.worker(), packet);
  auto step = slot.results().apply(packet, m_clock.now());
  if (step.starts) {
    if (const auto task =
            m_ledger->started(slot.worker(), *packet.test_id, packet.route_code.value_or(""))) {
      auto& first_given = m_seats[slot.worker()].first_given;
      if (first_given)
        m_scheduler->set_round_trip(slot.worker(), m_clock.now() - *std::exchange(first_given, {}));
      m_scheduler->started(slot.worker(), *task);
      auto& slots = m_end.outcome.slots;
      slots = std::max(slots, m_scheduler->slots());
      give_out();
    }
  }
  if (step.ends) book(slot, std::move(*step.ends), packet.route_code.value_or(""));
}

bool RunSession::is_filtered(const protocol::PacketView& packet) const {
  const auto& tags = m_plan.filter_tags;
  return !tags.empty() && std::any_of(packet.tags.begin(), packet.tags.end(), [&](auto tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  });
}

void RunSession::book(ServerSlot& slot, TestReport report, std::string_view route) {
  report.worker = slot.worker();
  const auto task = m_ledger->ended(slot.worker(), report.id, route);
  report.asked_for = task.has_value();
  if (!task) {
    if (!is_failure(report.status))
      m_listener.on_note(numbered(slot,
                                  "the server broke the protocol: a result that nobody asked "
                                  "for, or a second one, which is not counted: " +
                                      printable_line(report.id) + " " +
                                      std::string(to_string(report.status))));
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
    // The Done of a List that was asked for again says nothing of this one.
    if (&slot == m_lister && m_lists.erase(nonce) != 0 && m_lists.empty()) on_listed(slot);
    return;
  }
  auto& end_nonce = m_seats[slot.worker()].end_nonce;
  if (m_phase == Phase::ending && nonce == end_nonce) {
    end_nonce.clear();
    return leave_if_ended();
  }
  if (m_phase != Phase::running) return;
  const auto route = m_ledger->route_of(slot.worker(), nonce);
  book_left_out(slot, nonce);
  if (!route.empty() || slot.commands() == 0)
    note_unbooked_attachments(slot, route.empty() ? std::nullopt : std::optional(route));
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

// Attachments that came behind their test's final status, or that never had one. Of all answers, or
// of the one with that route code.
void RunSession::note_unbooked_attachments(ServerSlot& slot,
                                           std::optional<std::string_view> route) {
  const auto left = slot.results().take_unstarted([&](std::string_view id, std::string_view its) {
    return (!route || its == *route) && !m_ledger->awaits(slot.worker(), id);
  });
  for (const auto& [id, attachments] : left) {
    auto text = "the server broke the protocol: what it attached to " + printable_line(id) +
                " came behind the test's final status, or without one:";
    for (const auto& attachment : attachments)
      text += " " + printable_line(attachment.name) + ": " +
              printable_line(attachment.text.substr(0, 200));
    m_listener.on_note(numbered(slot, text));
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
