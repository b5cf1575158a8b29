#include "client/attach/console_typist.hpp"

#include <doctest/doctest.h>

using hearth::client::ConsoleTypist;
using Time = ConsoleTypist::Time;

TEST_CASE("Console typist: a line at a prompt, soon; elsewhere after silence") {
  ConsoleTypist typist({"root", "secret"}, Time{0});
  typist.heard("banner\r\nlogin: ", Time{1'000});
  CHECK(typist.due() == Time{1'250});
  CHECK(!typist.take(Time{1'249}));
  CHECK(typist.take(Time{1'250}) == "root\n");
  typist.heard("root\r\n", Time{1'260});  // an echo is no prompt
  CHECK(typist.due() == Time{2'760});
  typist.heard("Password: ", Time{2'000});
  CHECK(typist.take(Time{2'250}) == "secret\n");
  CHECK(!typist.due());
  CHECK(!typist.take(Time{9'000}));
}

TEST_CASE("Console typist: a console that says nothing") {
  ConsoleTypist typist({"go"}, Time{500});
  CHECK(typist.due() == Time{2'000});
  CHECK(typist.take(Time{2'000}) == "go\n");
}

TEST_CASE("Console typist: nothing to type") {
  const ConsoleTypist typist({}, Time{0});
  CHECK(!typist.due());
}
