// Several listeners as one: each is told everything, in the order in which they were added.
#pragma once

#include <vector>

#include "client/run/events.hpp"

namespace hearth::client {

class FanOut final : public RunListener {
 public:
  // `listener` must live as long as the run.
  void add(RunListener& listener) { m_listeners.push_back(&listener); }

  void on_note(std::string_view line) override {
    for (auto* const each : m_listeners) each->on_note(line);
  }
  void on_begin(const RunInfo& run) override {
    for (auto* const each : m_listeners) each->on_begin(run);
  }
  void on_packet(Worker worker, const protocol::PacketView& packet) override {
    for (auto* const each : m_listeners) each->on_packet(worker, packet);
  }
  void on_result(const TestReport& report, const Counts& counts) override {
    for (auto* const each : m_listeners) each->on_result(report, counts);
  }
  void on_tick(const Snapshot& snapshot) override {
    for (auto* const each : m_listeners) each->on_tick(snapshot);
  }
  void on_asked(const Snapshot& snapshot) override {
    for (auto* const each : m_listeners) each->on_asked(snapshot);
  }
  void on_suspend() override {
    for (auto* const each : m_listeners) each->on_suspend();
  }
  void on_resume() override {
    for (auto* const each : m_listeners) each->on_resume();
  }
  void on_end(const Outcome& outcome) override {
    for (auto* const each : m_listeners) each->on_end(outcome);
  }

 private:
  std::vector<RunListener*> m_listeners;
};

}  // namespace hearth::client
