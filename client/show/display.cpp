#include "client/show/display.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <thread>
#include <utility>

#include "client/text.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t live_rows = 12;    // at most, of the screen's
constexpr std::size_t tenths_from = 20;  // tests: below, every result says enough

// A terminal that knows "synchronized output" shows a frame at once; others ignore it. Within it, a
// line that is wider than we think does not wrap.
constexpr std::string_view frame_begin = "\x1b[?2026h";
constexpr std::string_view frame_end = "\x1b[?2026l";
constexpr std::string_view no_wrap = "\x1b[?7l";
constexpr std::string_view wrap = "\x1b[?7h";

bool can_redraw(int fd) {
  const char* const terminal = std::getenv("TERM");
  return isatty(fd) == 1 && terminal != nullptr && *terminal != '\0' &&
         std::string_view(terminal) != "dumb";
}

// What COLUMNS says; 0: nothing.
std::size_t columns_variable() {
  const char* const value = std::getenv("COLUMNS");
  if (value == nullptr) return 0;
  const std::string_view text = value;
  std::size_t columns = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), columns);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? columns : 0;
}

// Half the screen at most, where it is not a very small one; one row stays free for the cursor.
std::size_t rows_for_live(DisplaySize size) {
  const auto free = size.rows - std::min<std::size_t>(size.rows, 1);
  return std::min({live_rows, free, size.rows / 2 + 1});
}

bool is_empty(const Outcome& outcome) {
  return outcome.counts == Counts{} && outcome.missing.empty() && !outcome.lost &&
         outcome.doubts.empty() && !outcome.interrupted;
}

}  // namespace

TerminalDisplay::TerminalDisplay(Writer writer, std::function<DisplaySize()> size,
                                 StoryOptions options, SteadyClock clock)
    : m_writer(std::move(writer)),
      m_size(std::move(size)),
      m_clock(std::move(clock)),
      m_paint(options.paint),
      m_story(options) {}

TerminalDisplay::~TerminalDisplay() {
  finish({});
}

void TerminalDisplay::on_note(std::string_view line) {
  add(m_story.note(line));
}

void TerminalDisplay::on_packet(Worker, const protocol::PacketView& packet) {
  m_story.packet(packet);
}

void TerminalDisplay::on_result(const TestReport& report, const Counts&) {
  add(m_story.result(report, m_clock()));
}

void TerminalDisplay::on_tick(const Snapshot& snapshot) {
  if (m_finished || m_suspended) return;
  m_rate.add(snapshot.now, snapshot.counts.done);
  const auto size = m_size();
  // One column stays free: a line that fills its row wraps on some terminals.
  const ProgressLook look{size.columns - std::min<std::size_t>(size.columns, 1),
                          rows_for_live(size), m_rate.rate(), m_paint};
  write_frame(render_progress(snapshot, look), size);
}

void TerminalDisplay::on_end(const Outcome& outcome) {
  finish(is_empty(outcome) ? std::string() : m_story.end(outcome, m_clock()));
}

void TerminalDisplay::show(std::string_view text) {
  add(text);
}

void TerminalDisplay::on_asked(const Snapshot& snapshot) {
  add(m_story.running(snapshot));
}

void TerminalDisplay::finish(std::string_view text) {
  add(text);
  write_frame({}, m_size());
  m_finished = true;
}

void TerminalDisplay::on_suspend() {
  write_frame({}, m_size());
  m_suspended = true;
}

void TerminalDisplay::on_resume() {
  m_suspended = false;
}

void TerminalDisplay::add(std::string_view text) {
  if (m_finished)
    m_writer(text);
  else
    m_pending += text;
}

void TerminalDisplay::write_frame(const std::vector<std::string>& lines, DisplaySize size) {
  const bool same_size = size.columns == m_live_size.columns && size.rows == m_live_size.rows;
  if (m_pending.empty() && lines == m_live && (same_size || lines.empty())) return;
  auto frame = std::string(frame_begin) + erase_live(size) + std::exchange(m_pending, {});
  if (!lines.empty()) frame += no_wrap;
  for (const auto& line : lines) frame += line + "\n";
  if (!lines.empty()) frame += wrap;
  frame += frame_end;
  m_live = lines;
  m_live_size = size;
  m_writer(frame);
}

// Back to the first of the live lines, and everything from there on gone. A terminal that has
// become narrower has wrapped those that no longer fit.
std::string TerminalDisplay::erase_live(DisplaySize size) const {
  if (m_live.empty()) return {};
  std::size_t rows = 0;
  for (const auto& line : m_live) {
    const auto width = std::max<std::size_t>(plain_width(line), 1);
    rows += (width + size.columns - 1) / std::max<std::size_t>(size.columns, 1);
  }
  rows = std::min(rows, std::max<std::size_t>(size.rows, 2) - 1);
  return "\x1b[" + std::to_string(rows) + "A\r\x1b[J";
}

PlainDisplay::PlainDisplay(Writer writer, StoryOptions options, SteadyClock clock)
    : m_writer(std::move(writer)),
      m_clock(std::move(clock)),
      m_every_result(options.every_result),
      m_paint(options.paint),
      m_story(options) {}

void PlainDisplay::on_note(std::string_view line) {
  if (const auto text = m_story.note(line); !text.empty()) m_writer(text);
}

void PlainDisplay::on_packet(Worker, const protocol::PacketView& packet) {
  m_story.packet(packet);
}

void PlainDisplay::on_result(const TestReport& report, const Counts& counts) {
  auto text = m_story.result(report, m_clock());
  const auto tenths = counts.done * 10 / std::max<std::size_t>(counts.expected, 1);
  if (!m_every_result && counts.expected >= tenths_from && tenths > m_tenths && tenths < 10)
    text += std::to_string(counts.done) + "/" + std::to_string(counts.expected) + "  " +
            counts_text(counts) + "\n";
  m_tenths = tenths;
  if (!text.empty()) m_writer(text);
}

void PlainDisplay::on_tick(const Snapshot& snapshot) {
  for (const auto& line : m_slow.look(snapshot)) m_writer(m_paint(Style::warning, line) + "\n");
}

void PlainDisplay::on_end(const Outcome& outcome) {
  if (!is_empty(outcome)) m_writer(m_story.end(outcome, m_clock()));
}

void PlainDisplay::show(std::string_view text) {
  m_writer(text);
}

void PlainDisplay::on_asked(const Snapshot& snapshot) {
  m_writer(m_story.running(snapshot));
}

void PlainDisplay::finish(std::string_view text) {
  if (!text.empty()) m_writer(text);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd writable{fd, POLLOUT, 0};
      (void)poll(&writable, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return false;
    }
  }
  return true;
}

Writer descriptor_writer(int fd) {
  return [fd](std::string_view text) { (void)write_all(fd, text); };
}

DisplaySize terminal_size(int fd) {
  DisplaySize size{80, 24};
  winsize told{};
  const bool known = ioctl(fd, TIOCGWINSZ, &told) == 0 && told.ws_col != 0 && told.ws_row != 0;
  if (known) size = {told.ws_col, told.ws_row};
  const auto columns = columns_variable();
  // An exported COLUMNS may be of before a resize: never wider than the screen.
  if (columns != 0) size.columns = known ? std::min(columns, size.columns) : columns;
  return size;
}

std::unique_ptr<Display> make_display(int fd, const DisplayOptions& options) {
  const Paint paint(wants_color(options.color, color_signs(fd)));
  const StoryOptions story{options.every_result, paint, std::thread::hardware_concurrency()};
  if (!can_redraw(fd)) return std::make_unique<PlainDisplay>(descriptor_writer(fd), story);
  return std::make_unique<TerminalDisplay>(
      descriptor_writer(fd), [fd] { return terminal_size(fd); }, story);
}

}  // namespace hearth::client
