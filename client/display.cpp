#include "client/display.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "client/text.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t live_rows = 12;    // at most, of the screen's
constexpr std::size_t tenths_from = 20;  // tests: below, every result says enough

std::string shown_result(const TestReport& report, bool every_result) {
  if (is_failure(report.status)) return failure_text(report);
  return every_result || !report.asked_for ? result_line(report) : std::string();
}

DisplaySize terminal_size(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

bool can_redraw(int fd) {
  const char* const terminal = std::getenv("TERM");
  return isatty(fd) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

// Back to the first of the live lines, and everything from there on gone.
std::string erase_lines(std::size_t lines) {
  if (lines == 0) return {};
  return "\x1b[" + std::to_string(lines) + "A\r\x1b[J";
}

}  // namespace

TerminalDisplay::TerminalDisplay(Writer writer, std::function<DisplaySize()> size,
                                 bool every_result)
    : m_writer(std::move(writer)), m_size(std::move(size)), m_every_result(every_result) {}

void TerminalDisplay::note(std::string_view line) {
  m_pending += printable(line) + "\n";
}

void TerminalDisplay::result(const TestReport& report, const Counts&) {
  m_pending += shown_result(report, m_every_result);
}

void TerminalDisplay::progress(const Snapshot& snapshot) {
  const auto size = m_size();
  const auto rows = std::min(live_rows, size.rows > 1 ? size.rows - 1 : 1);
  // One column stays free: a line that fills its row wraps on some terminals.
  const auto lines = render_progress(snapshot, size.columns - 1, rows);
  auto frame = erase_lines(m_live_lines) + std::exchange(m_pending, {});
  for (const auto& line : lines) frame += line + "\n";
  m_live_lines = lines.size();
  m_writer(frame);
}

void TerminalDisplay::finish(std::string_view text) {
  m_writer(erase_lines(std::exchange(m_live_lines, 0)) + std::exchange(m_pending, {}) +
           std::string(text));
}

PlainDisplay::PlainDisplay(Writer writer, bool every_result)
    : m_writer(std::move(writer)), m_every_result(every_result) {}

void PlainDisplay::note(std::string_view line) {
  m_writer(printable(line) + "\n");
}

void PlainDisplay::result(const TestReport& report, const Counts& counts) {
  auto text = shown_result(report, m_every_result);
  const auto step = std::max<std::size_t>(counts.expected / 10, 1);
  if (!m_every_result && report.asked_for && counts.expected >= tenths_from &&
      counts.done % step == 0 && counts.done < counts.expected)
    text += std::to_string(counts.done) + "/" + std::to_string(counts.expected) + "  " +
            counts_text(counts) + "\n";
  if (!text.empty()) m_writer(text);
}

void PlainDisplay::progress(const Snapshot&) {}

void PlainDisplay::finish(std::string_view text) {
  m_writer(text);
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

std::unique_ptr<Display> make_display(int fd, bool every_result) {
  if (!can_redraw(fd)) return std::make_unique<PlainDisplay>(descriptor_writer(fd), every_result);
  return std::make_unique<TerminalDisplay>(
      descriptor_writer(fd), [fd] { return terminal_size(fd); }, every_result);
}

}  // namespace hearth::client
