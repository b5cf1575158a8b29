// Where a run is shown: on a terminal, with a live part that is redrawn, or in a file or pipe, as
// lines that stay. Both only compose text; a Writer takes it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/run/events.hpp"
#include "client/show/color.hpp"
#include "client/show/progress.hpp"
#include "client/show/slow.hpp"
#include "client/show/story.hpp"

namespace hearth::client {

using Writer = std::function<void(std::string_view)>;
using SteadyClock = std::function<SteadyTime()>;

struct DisplaySize {
  std::size_t columns;
  std::size_t rows;
};

struct DisplayOptions {
  bool every_result = false;
  ColorChoice color = ColorChoice::automatic;
};

// on_end() prints the summary, unless nothing was asked for and nothing came; after it, or in its
// place, finish().
class Display : public RunListener {
 public:
  // Text that stays: whole lines, printable.
  virtual void show(std::string_view text) = 0;
  // The end: nothing live stays on the screen, then `text`. What comes later is written at once.
  virtual void finish(std::string_view text) = 0;
};

// Text that stays is written with the next tick, above the live part. A frame is one write; there
// is none where nothing has changed. The cursor stays visible, in the row below the live part.
class TerminalDisplay final : public Display {
 public:
  TerminalDisplay(Writer writer, std::function<DisplaySize()> size, StoryOptions options,
                  SteadyClock clock = std::chrono::steady_clock::now);
  ~TerminalDisplay() override;
  void on_note(std::string_view line) override;
  void on_packet(Worker worker, const protocol::PacketView& packet) override;
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_tick(const Snapshot& snapshot) override;
  void on_end(const Outcome& outcome) override;
  void show(std::string_view text) override;
  void on_asked(const Snapshot& snapshot) override;
  void finish(std::string_view text) override;
  void on_suspend() override;
  void on_resume() override;

 private:
  void add(std::string_view text);
  void write_frame(const std::vector<std::string>& lines, DisplaySize size);
  [[nodiscard]] std::string erase_live(DisplaySize size) const;

  Writer m_writer;
  std::function<DisplaySize()> m_size;
  SteadyClock m_clock;
  Paint m_paint;
  Story m_story;
  RateMeter m_rate;
  std::string m_pending;            // text that stays, not yet written
  std::vector<std::string> m_live;  // lines on the screen now
  DisplaySize m_live_size{};        // of the screen when they were written
  bool m_suspended = false;
  bool m_finished = false;
};

// Every tenth of the tests that is done is a line, so that the same results give the same lines. So
// are tests that have become slow.
class PlainDisplay final : public Display {
 public:
  PlainDisplay(Writer writer, StoryOptions options,
               SteadyClock clock = std::chrono::steady_clock::now);
  void on_note(std::string_view line) override;
  void on_packet(Worker worker, const protocol::PacketView& packet) override;
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_tick(const Snapshot& snapshot) override;
  void on_end(const Outcome& outcome) override;
  void show(std::string_view text) override;
  void on_asked(const Snapshot& snapshot) override;
  void finish(std::string_view text) override;

 private:
  Writer m_writer;
  SteadyClock m_clock;
  bool m_every_result;
  std::size_t m_tenths = 0;  // told
  Paint m_paint;
  Story m_story;
  SlowWatch m_slow;
};

// Writes all of `text` to a descriptor, blocking. False where it cannot be written; errno tells
// why.
bool write_all(int fd, std::string_view text);
// The same, for text that is missed by nobody who has gone away.
[[nodiscard]] Writer descriptor_writer(int fd);

// The size of the terminal that `fd` is, unless COLUMNS says another width; {80, 24} where neither
// tells.
[[nodiscard]] DisplaySize terminal_size(int fd);

// The display for `fd`: live on a terminal that can be redrawn, plain elsewhere.
[[nodiscard]] std::unique_ptr<Display> make_display(int fd, const DisplayOptions& options = {});

}  // namespace hearth::client
