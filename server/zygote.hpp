// One warm process as the server sees it: a program's, a suite's, or one started for a single test.
// It holds the channel and what is known; what is done about its messages is Program's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "server/output_tail.hpp"
#include "server/spawn.hpp"
#include "server/work_clock.hpp"
#include "server/worker_channel.hpp"

namespace hearth::worker {
class FromZygote;
}

namespace hearth::server {

struct Zygote {
  enum class State {
    starting,  // no word yet
    greeted,   // Hello has come
    ready,     // parked
    lost,      // its channel is closed
  };
  using OnMessage = std::function<void(Zygote&, const worker::FromZygote&)>;
  using OnClosed = std::function<void(Zygote&)>;
  using OnLine = std::function<void(Zygote&, std::string_view line)>;

  // The callbacks may not destroy the zygote; `on_closed` comes once.
  Zygote(asio::io_context& io, UniqueFd channel_end, UniqueFd out, UniqueFd err,
         OnMessage on_message, OnClosed on_closed, OnLine on_line);

  State state = State::starting;
  bool was_ready = false;
  bool finishing = false;       // told to tear down and end
  pid_t pid = 0;                // 0: not known yet
  std::uint64_t execution = 0;  // a suite's or a single test's process: its own name
  std::uint64_t mark = 0;       // in its environment, and in that of what it starts before it parks
  SteadyTime since = work_time();
  std::string framework;
  std::string closing_failure;      // what its tear-down said
  std::string killed_because;       // why the server killed it; empty: it did not
  std::uint64_t greeted_as = 0;     // the pid that its Hello named
  std::uint64_t ran_elsewhere = 0;  // the pid of a fork that came to the tests
  bool doubled = false;             // two processes have its channel
  bool started_itself_anew = false;
  bool killed_for_silence = false;  // because its channel was closed; or another had killed it
  std::string words;                // what was printed before its tests, for those that fail
  std::size_t words_told = 0;       // bytes that the log has been given
  OutputTail output;
  WorkerChannel channel;
};

}  // namespace hearth::server
