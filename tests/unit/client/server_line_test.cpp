#include "client/project/server_line.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace hearth::client;
using Kind = ServerLine::Kind;
using Words = std::vector<std::string>;

TEST_CASE("Server line: what starts or meets a server of ours on this machine") {
  const std::pair<const char*, Kind> table[] = {
      {"hearth serve ./t", Kind::serve},
      {"exec /opt/bin/hearth serve --jobs 2 -- ./t", Kind::serve},
      {"cd build && A=1 nice -n 5 'hearth' serve ./t", Kind::serve},
      {"make t >/dev/null 2>&1\nexec env B=2 hearth serve ./t", Kind::serve},
      {"hearth attach --start unix:s -- ./t", Kind::start},
      {"hearth attach unix:s", Kind::meet},
      {"hearth attach unix:s -- --start", Kind::meet},
      {"ssh host hearth serve ./t", Kind::other},
      {"docker exec -i box 'hearth' serve ./t", Kind::other},
      {"./start-server", Kind::other},
      {"echo 'hearth serve'", Kind::other},
      {"hearth run ./t", Kind::other},
      {"hearth", Kind::other},
      {"'", Kind::other},
      {"", Kind::other},
  };
  for (const auto& [command, kind] : table) {
    CAPTURE(command);
    CHECK(read_server_line(command).kind == kind);
  }
}

TEST_CASE("Server line: where the server listens") {
  auto line = read_server_line(
      "hearth attach --start --idle 5 unix:\"$HOME\"/.hearth/s --token-file 'a b' -- ./t unix:no");
  CHECK(line.address == "unix:$HOME/.hearth/s");
  CHECK(line.token_file == "a b");
  line = read_server_line("hearth attach --token-file=t tcp:127.0.0.1:7 -- ssh -L x host");
  CHECK(line.address == "tcp:127.0.0.1:7");
  CHECK(line.token_file == "t");
  CHECK_FALSE(read_server_line("hearth attach --console -- ssh host").address);

  setenv("HEARTH_TEST_OF_A_LINE", "v", 1);
  CHECK(with_variables("a$HEARTH_TEST_OF_A_LINE/${HEARTH_TEST_OF_A_LINE}b") == "av/vb");
  CHECK(with_variables("unix:s") == "unix:s");
  unsetenv("HEARTH_TEST_OF_A_LINE");
  CHECK(with_variables("a$HEARTH_TEST_OF_A_LINE") == "a");
  for (const char* text : {"$(pwd)", "`pwd`", "${A:-b}", "$", "${A"}) {
    CAPTURE(text);
    CHECK_FALSE(with_variables(text));
  }
}

TEST_CASE("Server line: options that are passed on come last, before what is no option") {
  const auto with = [](Words words) {
    return with_passed_options(words, "--timeout 2 --env 'A=b c'");
  };
  CHECK(with({"serve", "--timeout", "5", "./t"}) ==
        Words{"serve", "--timeout", "5", "./t", "--timeout", "2", "--env", "A=b c"});
  CHECK(with({"serve", "--", "-t"}) ==
        Words{"serve", "--timeout", "2", "--env", "A=b c", "--", "-t"});
  CHECK(with({"attach", "--start", "unix:s", "--", "./t"}) ==
        Words{"attach", "--start", "unix:s", "--", "./t", "--timeout", "2", "--env", "A=b c"});
  CHECK(with({"attach", "--start", "unix:s", "--", "-j", "2", "--", "-t"}) ==
        Words{"attach", "--start", "unix:s", "--", "-j", "2", "--timeout", "2", "--env", "A=b c",
              "--", "-t"});
  for (const Words& others :
       {Words{"attach", "unix:s", "--", "ssh", "--start"}, Words{"run", "./t"}, Words{}})
    CHECK(with(others) == others);
  CHECK(with_passed_options({"serve", "./t"}, "") == Words{"serve", "./t"});
}
