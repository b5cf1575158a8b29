// Where a run is shown: on a terminal, with a live part that is redrawn, or in a file or pipe, as
// lines that stay. Both only compose text; a Writer takes it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/progress.hpp"
#include "client/report.hpp"

namespace hearth::client {

using Writer = std::function<void(std::string_view)>;

struct DisplaySize {
  std::size_t columns;
  std::size_t rows;
};

class Display {
 public:
  virtual ~Display() = default;
  // A line about the session, or from the server; without its newline.
  virtual void note(std::string_view line) = 0;
  virtual void result(const TestReport& report, const Counts& counts) = 0;
  // The state of things. Called up to ten times a second.
  virtual void progress(const Snapshot& snapshot) = 0;
  // The end: nothing live stays on the screen.
  virtual void finish(std::string_view text) = 0;
};

// Text that stays is written with the next progress(), above the live part.
class TerminalDisplay : public Display {
 public:
  TerminalDisplay(Writer writer, std::function<DisplaySize()> size, bool every_result);
  void note(std::string_view line) override;
  void result(const TestReport& report, const Counts& counts) override;
  void progress(const Snapshot& snapshot) override;
  void finish(std::string_view text) override;

 private:
  Writer m_writer;
  std::function<DisplaySize()> m_size;
  bool m_every_result;
  std::string m_pending;         // text that stays, not yet written
  std::size_t m_live_lines = 0;  // on the screen now
};

// Every tenth of the tests that is done is a line, so that the same results give the same lines.
class PlainDisplay : public Display {
 public:
  PlainDisplay(Writer writer, bool every_result);
  void note(std::string_view line) override;
  void result(const TestReport& report, const Counts& counts) override;
  void progress(const Snapshot& snapshot) override;
  void finish(std::string_view text) override;

 private:
  Writer m_writer;
  bool m_every_result;
};

// Writes all of `text` to a descriptor, blocking. False where it cannot be written; errno tells
// why.
bool write_all(int fd, std::string_view text);
// The same, for text that is missed by nobody who has gone away.
[[nodiscard]] Writer descriptor_writer(int fd);

// The display for `fd`: live on a terminal that can be redrawn, plain elsewhere.
[[nodiscard]] std::unique_ptr<Display> make_display(int fd, bool every_result);

}  // namespace hearth::client
