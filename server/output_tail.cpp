#include "server/output_tail.hpp"

#include <cerrno>

#include "protocol/utf8.hpp"

namespace hearth::server {
namespace {

constexpr std::size_t kept = 8 * 1024;

}  // namespace

OutputTail::OutputTail(asio::io_context& io, UniqueFd out, UniqueFd err) {
  watch(io, std::move(out), m_out);
  watch(io, std::move(err), m_err);
}

void OutputTail::watch(asio::io_context& io, UniqueFd fd, Stream& stream) {
  stream.fd = std::make_unique<ReadableFd>(io, std::move(fd), [&stream] { read_some(stream); });
}

void OutputTail::read_some(Stream& stream) {
  char buffer[16 * 1024];
  for (int reads = 0; reads < 16 && stream.fd->get() >= 0; ++reads) {
    if (stream.lent || stream.ended) return stream.fd->pause();
    const ssize_t got = read(stream.fd->get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) stream.ended = true;
    if (got < 0) return;
    stream.tail.append(buffer, static_cast<std::size_t>(got));
    if (stream.tail.size() > 2 * kept) stream.tail.erase(0, stream.tail.size() - kept);
  }
}

OutputTail::Lent OutputTail::lend() {
  for (Stream* const stream : {&m_out, &m_err}) {
    read_some(*stream);
    stream->lent = true;
  }
  return {duplicate(m_out.fd->get()), duplicate(m_err.fd->get())};
}

void OutputTail::take_back() {
  for (Stream* const stream : {&m_out, &m_err}) {
    stream->lent = false;
    stream->fd->resume();
  }
}

std::string OutputTail::text() {
  std::string text;
  for (Stream* const stream : {&m_err, &m_out}) {
    read_some(*stream);
    if (stream->tail.empty()) continue;
    text +=
        stream == &m_err ? "Its standard error ended with:\n" : "Its standard output ended with:\n";
    text +=
        protocol::as_utf8(std::string_view(stream->tail)
                              .substr(stream->tail.size() - std::min(kept, stream->tail.size())));
    if (text.back() != '\n') text += '\n';
  }
  return text;
}

}  // namespace hearth::server
