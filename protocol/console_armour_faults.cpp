// What the faults of the console armour say to people: cause, and way out.
#include "protocol/console_armour.hpp"

namespace hearth::protocol::armour {
namespace {

std::string seconds(Time time) {
  const auto count = time.count();
  std::string text = std::to_string(count / 1000);
  if (count % 1000 != 0) text += "." + std::to_string(1000 + count % 1000).substr(1);
  return text + " s";
}

std::string_view cause_text(FaultCause cause) {
  switch (cause) {
    case FaultCause::lost_peer:
      return "it heard nothing of this end";
    case FaultCause::no_progress:
      return "its lines did not arrive here whole";
    case FaultCause::bad_frame:
      return "this end broke the rules of the armour";
    case FaultCause::superseded:
      return "another session was started on the same console";
    default:
      return "it was told to";
  }
}

}  // namespace

std::string ConsoleArmour::search_text() const {
  if (m_rival)
    return "another program is looking for the other end on the same console; end it, or use "
           "another console";
  if (m_state == State::welcomed)
    return "it called, but did not hear the answer; check that the console carries both directions";
  if (m_damaged != 0)
    return "lines of the armour came, but none whole: the console changes or cuts lines; try a "
           "shorter line";
  if (m_echoes != 0)
    return "only an echo of this end's own lines came; start hearth-shim --console at the other "
           "end";
  if (m_bytes != 0) return "only other text came; start hearth-shim --console at the other end";
  return "not one byte came; check that the console is connected";
}

std::string ConsoleArmour::fault_text(FaultCause cause, bool told_by_peer) const {
  if (told_by_peer)
    return "the other end of the console gave up: " + std::string(cause_text(cause));
  switch (cause) {
    case FaultCause::no_peer:
      return "the other end of the console was not found in " +
             seconds(m_options.connect_deadline) + ": " + search_text();
    case FaultCause::versions:
      return "the other end of the console speaks versions " + m_peer_versions +
             " of the armour, this end " + std::to_string(m_options.min_version) + " to " +
             std::to_string(m_options.max_version) + "; install the same version of Hearth at both";
    case FaultCause::lost_peer:
      return "the other end of the console was not heard for " + seconds(m_options.deadline) +
             "; it has ended, or the console is stopped (XOFF) or disconnected";
    case FaultCause::no_progress:
      return "a line was sent again and again for " + seconds(m_options.deadline) +
             " and never arrived whole, though the other end is heard: the console changes or "
             "cuts long lines; try a shorter line";
    case FaultCause::bad_frame:
      return "the other end of the console broke the rules of the armour; this is a bug of one of "
             "the two";
    case FaultCause::superseded:
      return "another session was started on the same console";
    case FaultCause::given_up:
      break;
  }
  return "the session was given up";
}

}  // namespace hearth::protocol::armour
