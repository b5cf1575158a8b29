#include "transport/preface.hpp"

#include "transport/token.hpp"

namespace hearth::transport {
namespace {

constexpr std::string_view token_word = "hearth token ";
constexpr std::size_t token_line_size = token_word.size() + token_size + 1;

bool may_become(std::string_view bytes, std::string_view beginning) {
  const std::size_t common = bytes.size() < beginning.size() ? bytes.size() : beginning.size();
  return bytes.substr(0, common) == beginning.substr(0, common);
}

}  // namespace

std::string token_line(std::string_view token) {
  return std::string(token_word).append(token) + '\n';
}

Expected<std::string> preface_of(const Address& address,
                                 const std::optional<std::string>& token_file) {
  const std::string file = token_file.value_or(default_token_file(address));
  if (file.empty()) return std::string();
  const auto token = read_token_file(file);
  if (!token) return tl::unexpected(token.error());
  return token_line(*token);
}

Preface::State Preface::take(std::string_view bytes) {
  m_bytes.append(bytes);
  if (!m_admitted && may_become(m_bytes, token_word)) {
    const auto end = m_bytes.find('\n');
    if (end == std::string::npos && m_bytes.size() < token_line_size) return State::more;
    if (m_token && (end == std::string::npos ||
                    !same_token(*m_token, std::string_view(m_bytes).substr(0, end).substr(
                                              token_word.size())))) {
      return refuse("the token is not this server's");
    }
    if (end != std::string::npos) {
      m_bytes.erase(0, end + 1);
      m_admitted = true;
    }
  }
  if (!admitted()) return refuse("the connection did not begin with a token");
  if (m_bytes.empty()) return State::more;
  if (m_bytes.size() >= status_line.size() && may_become(m_bytes, status_line))
    return State::status;
  return may_become(m_bytes, status_line) ? State::more : State::session;
}

Preface::State Preface::refuse(std::string why) {
  m_bytes.clear();
  m_why = std::move(why);
  return State::refused;
}

}  // namespace hearth::transport
