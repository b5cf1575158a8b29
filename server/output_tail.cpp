#include "server/output_tail.hpp"

#include <cerrno>

#include "protocol/utf8.hpp"
#include "server/program_words.hpp"

namespace hearth::server {
namespace {

constexpr std::size_t kept = 8 * 1024;
constexpr std::size_t kept_words = 2 * 1024;
constexpr std::size_t longest_line = 2000;

// Whole lines, as far as there is an end of a line.
std::string_view last_bytes(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::string_view last = text.substr(text.size() - most);
  const std::size_t begin = last.find('\n');
  return begin == std::string_view::npos || begin + 1 == last.size() ? last
                                                                     : last.substr(begin + 1);
}

std::string without_framework(std::string_view text) {
  std::string kept_lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (!is_framework_words(text)) kept_lines += text.substr(0, end);
    text.remove_prefix(end);
  }
  return kept_lines;
}

}  // namespace

OutputTail::OutputTail(asio::io_context& io, UniqueFd out, UniqueFd err,
                       std::function<void(std::string_view line)> on_line)
    : m_on_line(std::move(on_line)) {
  watch(io, std::move(out), m_out);
  watch(io, std::move(err), m_err);
}

void OutputTail::watch(asio::io_context& io, UniqueFd fd, Stream& stream) {
  stream.fd =
      std::make_unique<ReadableFd>(io, std::move(fd), [this, &stream] { read_some(stream); });
}

void OutputTail::read_some(Stream& stream) {
  char buffer[16 * 1024];
  for (int reads = 0; reads < 16 && stream.fd->get() >= 0; ++reads) {
    if (stream.lent || stream.ended) return stream.fd->pause();
    const ssize_t got = read(stream.fd->get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) {
      stream.ended = true;
      end_line(stream);
    }
    take(stream, {buffer, static_cast<std::size_t>(got)});
  }
}

void OutputTail::take(Stream& stream, std::string_view bytes) {
  stream.tail += bytes;
  if (stream.tail.size() > 2 * kept) {
    stream.tail.erase(0, stream.tail.size() - kept);
    stream.cut = true;
  }
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = longest_line - stream.line.size();
    const std::size_t taken = std::min({end, bytes.size(), room});
    stream.line += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    const bool ends = !bytes.empty() && bytes.front() == '\n';
    if (ends) bytes.remove_prefix(1);
    if (ends || stream.line.size() >= longest_line) end_line(stream);
  }
}

void OutputTail::end_line(Stream& stream) {
  const std::string line = std::exchange(stream.line, {});
  if (!line.empty() && !is_framework_words(line)) m_on_line(line);
}

void OutputTail::read_now() {
  for (Stream* const stream : {&m_out, &m_err}) read_some(*stream);
}

void OutputTail::add(std::string_view line) {
  m_err.tail += line;
  m_err.tail += '\n';
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

std::string OutputTail::words(std::string_view who) {
  std::string text;
  for (Stream* const stream : {&m_err, &m_out}) {
    read_some(*stream);
    end_line(*stream);
    const std::string all = without_framework(stream->tail);
    if (all.empty()) continue;
    const std::string_view last = last_bytes(all, kept_words);
    text += std::string(who) + " printed to " + (stream == &m_err ? "stderr" : "stdout");
    text += stream->cut || last.size() < all.size() ? ", at last:\n" : ":\n";
    text += protocol::as_utf8(last);
    if (text.back() != '\n') text += '\n';
  }
  return text;
}

}  // namespace hearth::server
