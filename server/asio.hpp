// Boost.Asio as this project uses it: one thread, errors as values.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace hearth {
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
}  // namespace hearth
