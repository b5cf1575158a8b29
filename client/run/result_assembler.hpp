// What the packets of one server add up to: tests that run, and a TestReport for each that ends.
// Pure; no clock of its own. Packets of one test id and route code belong together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/run/events.hpp"

namespace hearth::client {

class ResultAssembler {
 public:
  // What a packet does: it starts a test, ends one, or neither.
  struct Step {
    bool starts = false;
    std::optional<TestReport> ends;
  };
  [[nodiscard]] Step apply(const protocol::PacketView& packet, SteadyTime now);

  // In the order in which they started. Views last until the next apply().
  [[nodiscard]] std::vector<RunningTest> running() const;
  // What a test without a final status had attached by now, and its route code; forgotten here.
  struct Unfinished {
    std::string route_code;
    std::optional<protocol::Timestamp> started_at;
    std::vector<Attachment> attachments;
  };
  [[nodiscard]] std::optional<Unfinished> take(std::string_view id);
  // The same for every test that did not start and that `wanted` says true for, by its id and route
  // code: its id, and what it had attached.
  using Left = std::pair<std::string, std::vector<Attachment>>;
  [[nodiscard]] std::vector<Left> take_unstarted(
      const std::function<bool(std::string_view id, std::string_view route)>& wanted);
  // All tests without a final status are forgotten.
  void clear() { m_open.clear(); }

 private:
  struct Key {
    std::string id;
    std::string route_code;
  };
  struct Open {  // a test of which something came, but not its final status
    std::uint64_t order = 0;
    bool started = false;
    SteadyTime since;
    std::optional<protocol::Timestamp> started_at;
    std::vector<Attachment> attachments;
  };
  using KeyView = std::pair<std::string_view, std::string_view>;
  struct Less {
    using is_transparent = void;
    static KeyView view(const Key& key) { return {key.id, key.route_code}; }
    static KeyView view(const KeyView& key) { return key; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return view(a) < view(b);
    }
  };

  Open& open_test(const protocol::PacketView& packet);
  TestReport close_test(const protocol::PacketView& packet);

  std::map<Key, Open, Less> m_open;  // about as many as run at a time
  std::uint64_t m_opened = 0;
};

// A short cause for a list of failures: how the traceback, or else the reason, begins, in one line.
[[nodiscard]] std::string short_cause(const TestReport& report);

}  // namespace hearth::client
