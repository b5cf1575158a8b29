// Where clients arrive: takes connections, reads what stands before the session
// (spec/connections.md), and turns away who may not come in.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/asio.hpp"
#include "transport/listener.hpp"

namespace hearth::server {

class Reception {
 public:
  struct Events {
    // Connected, and what it has sent of its session.
    std::function<void(UniqueFd client, std::string_view already)> on_client;
    // What one that asks for the state of the server is told.
    std::function<std::string()> state;
    std::function<bool()> is_full;
  };

  // `token`: what each has to begin with; none: none has to.
  Reception(asio::io_context& io, transport::Listener listener, std::optional<std::string> token,
            Events events);

  [[nodiscard]] const transport::Address& address() const { return m_address; }
  // Nobody can connect any more. Who has connected is still let in.
  void close();
  // Somebody has connected, and is not let in or turned away yet.
  [[nodiscard]] bool is_busy() const;

 private:
  class Arrival;

  void wait();
  [[nodiscard]] bool take_waiting();
  [[nodiscard]] bool has_waiting() const;
  void greet(UniqueFd client);
  void remove(Arrival* arrival);

  asio::io_context& m_io;
  std::optional<transport::Listener> m_listener;
  transport::Address m_address;
  std::optional<std::string> m_token;
  Events m_events;
  std::optional<asio::posix::stream_descriptor> m_readable;
  asio::steady_timer m_pause;
  bool m_failing = false;
  std::list<std::shared_ptr<Arrival>> m_arrivals;
};

}  // namespace hearth::server
