#include "client/options.hpp"

#include <doctest/doctest.h>

using namespace hearth::client;
using Words = std::vector<std::string>;

namespace {

template <typename Kind>
Kind parsed(Words words) {
  const auto command = parse_command_line(std::move(words));
  REQUIRE(command);
  REQUIRE(std::holds_alternative<Kind>(*command));
  return std::get<Kind>(*command);
}

ParseEnd ended(Words words) {
  const auto command = parse_command_line(std::move(words));
  REQUIRE_FALSE(command);
  return command.error();
}

}  // namespace

TEST_CASE("Options: a run with everything") {
  const auto command = parsed<RunCommand>({"run",
                                           "-j",
                                           "4",
                                           "--timeout",
                                           "0.5",
                                           "--grace=1",
                                           "--load-timeout",
                                           "30",
                                           "--output-limit",
                                           "0",
                                           "--leaks",
                                           "fail",
                                           "--cwd",
                                           "/",
                                           "--env",
                                           "A=1",
                                           "--env",
                                           "B=x=y",
                                           "--load-list",
                                           "ids",
                                           "--subunit",
                                           "-",
                                           "-v",
                                           "./a",
                                           "n=./b --flag",
                                           "--",
                                           "one",
                                           "-x",
                                           "--"});
  CHECK(command.server.programs == Words{"./a", "n=./b --flag"});
  CHECK(command.server.jobs == 4);
  CHECK(command.server.timeout == 0.5);
  CHECK(command.server.grace == 1);
  CHECK(command.server.load_timeout == 30);
  CHECK(command.server.output_limit == 0);
  CHECK(command.server.leaks == "fail");
  CHECK(command.server.cwd == "/");
  CHECK(command.server.environment == Words{"A=1", "B=x=y"});
  CHECK(command.load_list == "ids");
  CHECK(command.subunit == "-");
  CHECK(command.every_result);
  CHECK(command.patterns == Words{"one", "-x", "--"});
}

TEST_CASE("Options: what is not said is the server's to choose") {
  const auto command = parsed<ListCommand>({"list", "./a"});
  CHECK_FALSE(command.server.jobs);
  CHECK_FALSE(command.server.timeout);
  CHECK(command.patterns.empty());
  CHECK(serve_command_line("/h", command.server) == Words{"/h", "serve", "--", "./a"});
}

TEST_CASE("Options: options may stand between and behind the programs, and take one value each") {
  const auto command = parsed<RunCommand>({"run", "./a", "--env", "A=1", "./b", "--jobs", "2"});
  CHECK(command.server.programs == Words{"./a", "./b"});
  CHECK(command.server.environment == Words{"A=1"});
  CHECK(command.server.jobs == 2);
}

TEST_CASE("Options: a server's command line says the same again") {
  const auto command =
      parsed<RunCommand>({"run", "-j3", "--timeout", "0.125", "--grace", "2.5", "--load-timeout",
                          "7", "--output-limit", "1", "--leaks", "ok", "--cwd", "/", "--env",
                          "A= b", "./a", "n=./b 'c d'"});
  auto words = serve_command_line("/h", command.server);
  words.erase(words.begin());
  const auto server = parsed<ServeCommand>(words).server;
  CHECK(server.programs == command.server.programs);
  CHECK(server.jobs == command.server.jobs);
  CHECK(server.timeout == command.server.timeout);
  CHECK(server.grace == command.server.grace);
  CHECK(server.load_timeout == command.server.load_timeout);
  CHECK(server.output_limit == command.server.output_limit);
  CHECK(server.leaks == command.server.leaks);
  CHECK(server.cwd == command.server.cwd);
  CHECK(server.environment == command.server.environment);
}

TEST_CASE("Options: behind -- of serve stand programs, whatever they begin with") {
  CHECK(parsed<ServeCommand>({"serve", "--", "-odd", "./a"}).server.programs ==
        Words{"-odd", "./a"});
  CHECK(parsed<ServeCommand>({"serve", "./a", "--", "./b"}).server.programs == Words{"./a", "./b"});
}

TEST_CASE("Options: check takes one program, and its arguments") {
  const auto command = parsed<CheckCommand>({"check", "--compare", "./a", "--", "--flag", "x"});
  CHECK(command.compare);
  CHECK(command.arguments == Words{"--flag", "x"});
  CHECK(ended({"check", "./a", "./b"}).exit_code == 2);
  CHECK(ended({"check", "--expected", "/dev/null", "./a"}).exit_code == 2);
}

TEST_CASE("Options: usage errors say what is wrong, and end with 2") {
  const std::vector<std::pair<Words, std::string>> table{
      {{}, "a command is missing"},
      {{"frobnicate"}, "frobnicate"},
      {{"run"}, "PROGRAM"},
      {{"run", "--", "x"}, "PROGRAM"},
      {{"serve"}, "PROGRAM"},
      {{"run", "--jobs", "0", "a"}, "--jobs"},
      {{"run", "--jobs", "-1", "a"}, "--jobs"},
      {{"run", "--jobs", "many", "a"}, "--jobs"},
      {{"run", "--timeout", "-1", "a"}, "--timeout"},
      {{"run", "--env", "novalue", "a"}, "--env"},
      {{"run", "--env", "=x", "a"}, "--env"},
      {{"run", "--leaks", "maybe", "a"}, "--leaks"},
      {{"run", "--cwd", "/no/such/folder", "a"}, "/no/such/folder"},
      {{"run", "--nope", "a"}, "--nope"},
  };
  for (const auto& row : table) {
    const auto& expected = row.second;
    CAPTURE(expected);
    const auto end = ended(row.first);
    CHECK(end.exit_code == 2);
    CHECK(end.text.starts_with("hearth: "));
    CHECK(end.text.find(expected) != std::string::npos);
  }
}

TEST_CASE("Options: help and version end with 0") {
  for (const Words& words :
       {Words{"--help"}, Words{"run", "--help"}, Words{"--version"}, Words{"check", "-h"}})
    CHECK(ended(words).exit_code == 0);
  const auto help = ended({"run", "--help"}).text;
  CHECK(help.find("Usage: hearth run [OPTION]... PROGRAM... [-- REGEX...]\n") != std::string::npos);
  CHECK(help.find("130 interrupted") != std::string::npos);
}
