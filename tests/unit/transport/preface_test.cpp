#include "transport/preface.hpp"

#include <doctest/doctest.h>

#include "transport/token.hpp"

using hearth::transport::new_token;
using hearth::transport::Preface;
using hearth::transport::token_line;
using State = Preface::State;

namespace {

struct Outcome {
  State state;
  std::string rest;
  bool operator==(const Outcome&) const = default;
};

// Fed in pieces of `size` bytes until it is decided; what had not been fed then is the session's
// too.
Outcome feed(Preface preface, const std::string& bytes, std::size_t size) {
  State state = State::more;
  std::size_t at = 0;
  for (; at < bytes.size() && state == State::more; at += size)
    state = preface.take(bytes.substr(at, size));
  std::string rest = preface.rest();
  if (state == State::session && at < bytes.size()) rest += bytes.substr(at);
  return {state, state == State::session ? rest : ""};
}

void check(const std::optional<std::string>& token, const std::string& bytes,
           const Outcome& expected) {
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    CAPTURE(bytes);
    CAPTURE(size);
    CHECK(feed(Preface(token), bytes, size) == expected);
  }
}

}  // namespace

TEST_CASE("Preface: without a token, all but a request for the state is the session's") {
  const std::string token = new_token();
  check({}, "\xb3packet", {State::session, "\xb3packet"});
  check({}, "hearth is a banner\n", {State::session, "hearth is a banner\n"});
  check({}, "hearth statue\n", {State::session, "hearth statue\n"});
  check({}, "hearth status\n", {State::status, ""});
  check({}, "hearth", {State::more, ""});
  check({}, token_line(token) + "\xb3", {State::session, "\xb3"});
  check({}, token_line(token) + "hearth status\n", {State::status, ""});
}

TEST_CASE("Preface: with a token, nothing else may come first") {
  const std::string token = new_token();
  check(token, token_line(token) + "\xb3packet", {State::session, "\xb3packet"});
  check(token, token_line(token), {State::more, ""});
  check(token, token_line(token) + "hearth status\n", {State::status, ""});
  check(token, token_line(token) + token_line(token), {State::session, token_line(token)});
  for (const std::string& wrong :
       {std::string("\xb3packet"), std::string("hearth status\n"),
        std::string("GET / HTTP/1.1\r\n"), std::string("\n"), token_line(new_token()),
        token_line(""), token_line(token.substr(1)), token_line(token + "0"),
        token_line(token + ' '), "hearth token " + token + "\r\n", std::string(100'000, 'h'),
        "hearth token " + std::string(100'000, '0')}) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, wrong.size()}) {
      CHECK(feed(Preface(token), wrong, size).state == State::refused);
    }
  }
}

TEST_CASE("Preface: what is kept of an endless line is bounded") {
  Preface preface({});
  State state = State::more;
  std::size_t fed = 0;
  for (; state == State::more && fed < 10'000; ++fed)
    state = preface.take(fed < 13 ? std::string(1, "hearth token "[fed]) : "0");
  CHECK(fed < 200);
}
