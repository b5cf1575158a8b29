// Boost.Asio as the client uses it: one thread, errors as values.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace hearth::client {
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
}  // namespace hearth::client
