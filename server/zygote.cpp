#include "server/zygote.hpp"

#include "worker.pb.h"

namespace hearth::server {

Zygote::Zygote(asio::io_context& io, UniqueFd channel_end, UniqueFd out, UniqueFd err,
               OnMessage on_message, OnClosed on_closed, OnLine on_line)
    : output(io, std::move(out), std::move(err),
             [this, on_line = std::move(on_line)](std::string_view line) { on_line(*this, line); }),
      channel(io, std::move(channel_end),
              {[this, on_message = std::move(on_message)](std::string_view packet) {
                 worker::FromZygote message;
                 if (message.ParseFromArray(packet.data(), static_cast<int>(packet.size()))) {
                   on_message(*this, message);
                 }
               },
               [this, on_closed = std::move(on_closed)] {
                 state = State::lost;
                 on_closed(*this);
               }}) {}

}  // namespace hearth::server
