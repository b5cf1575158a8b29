// Joins a client on our stdin and stdout to a connection: bytes go both ways, unchanged, until the
// server ends the connection or the client is gone. Each direction waits for its own reader only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/attach/standard_stream.hpp"
#include "process/unique_fd.hpp"
#include "protocol/goodbye_watch.hpp"

namespace hearth::client {

struct JoinEnd {
  bool goodbye = false;       // the client's Goodbye was sent on
  bool client_ended = false;  // stdin ended
  bool client_reads = true;   // false: nobody reads stdout any more
  bool server_spoke = false;  // something came from the server
  int error = 0;              // what the connection ended with; 0: its end of file
  bool replayable = false;    // nothing came back yet, and `sent` is all that the client said
  std::string sent;
};

// Something else that is to be looked after meanwhile.
struct Bystander {
  int fd = -1;
  std::function<bool()> on_readable;  // false: not to be called again
};

class Join {
 public:
  // `first`: goes to the server before what the client says; as much as a JoinEnd's `sent` at most.
  Join(int in, int out, UniqueFd connection, const std::string& first = {},
       Bystander bystander = {});

  [[nodiscard]] JoinEnd run();

 private:
  // Bytes that have been read, and not yet written. Filled when it is empty.
  struct Buffer {
    [[nodiscard]] bool empty() const { return begin == end; }
    [[nodiscard]] std::span<const char> left() const {
      return std::span(room).subspan(begin, end - begin);
    }
    void filled(std::size_t size) {
      begin = 0;
      end = size;
    }
    std::vector<char> room = std::vector<char>(std::size_t{256} * 1024);
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  void wait();
  void read_client();
  void write_server();
  void read_server();
  void write_client();
  void sent_on(std::span<const char> bytes);

  StandardStream m_in;
  StandardStream m_out;
  UniqueFd m_connection;
  Bystander m_bystander;
  Buffer m_to_server;
  Buffer m_to_client;
  protocol::GoodbyeWatch m_goodbye;
  bool m_server_takes = true;
  bool m_server_ended = false;
  JoinEnd m_end;
};

}  // namespace hearth::client
