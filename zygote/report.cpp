#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "zygote/core.hpp"
#include "zygote/coverage.hpp"
#include "zygote/exit_handlers.hpp"
#include "zygote/leak_check.hpp"
#include "zygote/mock_leaks.hpp"
#include "zygote/only.hpp"
#include "zygote/streams.hpp"
#include "zygote/surroundings.hpp"

namespace hearth::zygote::report {

struct State {
  std::mutex mutex;
  int channel = -1;
  pid_t owner = 0;
  std::string properties;  // encoded Verdict.property fields
  bool said = false;       // the verdict
  bool leaving = false;    // a suite's process, or a shared one, ends
};

namespace {

State& state() {
  return only<State>("report");
}

// Room for the envelope's own fields in a packet.
constexpr std::size_t max_piece = max_packet - 1024;

// A piece of text does not end inside a character.
std::string_view piece_of(std::string_view content) {
  std::size_t size = std::min(max_piece, content.size());
  if (size == content.size()) return content;
  for (int i = 0; i < 3 && (static_cast<unsigned char>(content[size]) & 0xC0) == 0x80; ++i) --size;
  return content.substr(0, size);
}

void send_piece(protozero::pbf_tag_type tag, std::string_view encoded) {
  std::string packet;
  protozero::pbf_writer(packet).add_bytes(tag, encoded.data(), encoded.size());
  zygote::send(state().channel, packet);
}

void send_verdict(Outcome outcome) {
  const std::lock_guard lock(state().mutex);
  std::string encoded;
  protozero::pbf_writer(encoded).add_enum(1, static_cast<int>(outcome));
  encoded += state().properties;
  send_piece(message::from_test::verdict, encoded);
}

constexpr char leaked_memory[] = "leaked memory, LeakSanitizer says:\n";
constexpr char leaked_mocks[] = "leaked mock objects, GoogleMock says:\n";

// A verdict of what was found only after the test's own takes that one's place. A test that ended
// its process itself has failed by that.
void say_of_test(const leak_check::Leaks& leaks, const std::string& mocks) {
  if (!mocks.empty()) text("traceback", std::string("The test ") + leaked_mocks + mocks);
  if (!leaks.text.empty() && leaks.fails)
    text("traceback", std::string("The test ") + leaked_memory + leaks.text);
  if (!leaks.text.empty() && !leaks.fails) text("leaks", leaks.text);
  const bool fails = !mocks.empty() || (!leaks.text.empty() && leaks.fails);
  if (fails && state().said) send_verdict(Outcome::fail);
}

std::string failure_of_tear_down(const leak_check::Leaks& leaks, const std::string& mocks) {
  std::string text;
  if (!mocks.empty()) text += std::string("Its process ") + leaked_mocks + mocks;
  if (!leaks.text.empty() && leaks.fails)
    text += std::string("Its process ") + leaked_memory + leaks.text;
  return text;
}

void look_for_leaks() {
  const bool in_test = own_process() && state().channel >= 0;
  if (!in_test && !state().leaving) return;
  const std::string mocks = mock_leaks::find_at_end();
  const leak_check::Leaks leaks = leak_check::find_at_end();
  if (in_test) return say_of_test(leaks, mocks);
  const std::string failure = failure_of_tear_down(leaks, mocks);
  if (!failure.empty()) Core::instance().closed(failure);
}

}  // namespace

void leaving() {
  state().leaving = true;
}

void at_tear_down() {
  if (!own_process()) return;
  const std::string failure = failure_of_tear_down(leak_check::find(), {});
  if (!failure.empty()) Core::instance().suite_closed(failure);
}

void at_process_end() {
  flush_streams();
  look_for_leaks();
  coverage::hand_over();
}

void open(int channel) {
  const std::lock_guard lock(state().mutex);
  state().channel = channel;
  state().owner = getpid();
  state().said = false;
  state().properties.clear();
}

bool own_process() noexcept {
  return state().owner == getpid();
}

void attach(std::string_view name, std::string_view mime_type, std::string_view content,
            bool last) {
  if (!own_process()) return;
  const Untouched untouched;
  const std::lock_guard lock(state().mutex);
  do {
    const std::string_view piece = piece_of(content);
    content.remove_prefix(piece.size());
    std::string encoded;
    protozero::pbf_writer writer(encoded);
    message::add(writer, 1, name.substr(0, 255));
    message::add(writer, 2, mime_type.substr(0, 255));
    message::add(writer, 3, piece);
    if (last && content.empty()) writer.add_bool(4, true);
    send_piece(message::from_test::attachment, encoded);
  } while (!content.empty());
}

void text(std::string_view name, std::string_view content, bool last) {
  attach(name, "text/plain;charset=utf8", content, last);
}

void property(std::string_view key, std::string_view value) {
  if (!own_process()) return;
  const Untouched untouched;
  const std::lock_guard lock(state().mutex);
  std::string encoded;
  protozero::pbf_writer writer(encoded);
  message::add(writer, 1, key);
  message::add(writer, 2, value);
  // What does not fit into the verdict's packet is left out: a property is a word, not a document.
  if (state().properties.size() + encoded.size() + 8 > max_piece) return;
  protozero::pbf_writer(state().properties).add_bytes(2, encoded.data(), encoded.size());
}

void subunit_v1(std::string_view piece) {
  if (!own_process()) return;
  const Untouched untouched;
  const std::lock_guard lock(state().mutex);
  for (; !piece.empty(); piece.remove_prefix(std::min(max_piece, piece.size()))) {
    send_piece(message::from_test::subunit_v1, piece.substr(0, max_piece));
  }
}

void finish(Outcome outcome) {
  if (!own_process()) _exit(0);
  flush_streams();
  send_verdict(outcome);
  finish();
}

void finish() {
  if (!own_process()) _exit(0);
  state().said = true;
  run_exit_handlers();
}

void conclude(Outcome outcome) {
  if (!own_process()) _exit(0);
  flush_streams();
  send_verdict(outcome);
  conclude();
}

void conclude() {
  if (!own_process()) _exit(0);
  const Untouched untouched;
  flush_streams();
  state().said = true;
  say_of_test(leak_check::find(), {});
  {
    const std::lock_guard lock(state().mutex);
    close(std::exchange(state().channel, -1));
  }
  Core::instance().test_over();
}

}  // namespace hearth::zygote::report
