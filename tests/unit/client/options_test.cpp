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
  CHECK(command.project.server.programs == Words{"./a", "n=./b --flag"});
  CHECK(command.project.server.jobs == 4);
  CHECK(command.project.server.timeout == 0.5);
  CHECK(command.project.server.grace == 1);
  CHECK(command.project.server.load_timeout == 30);
  CHECK(command.project.server.output_limit == 0);
  CHECK(command.project.server.leaks == "fail");
  CHECK(command.project.server.cwd == "/");
  CHECK(command.project.server.environment == Words{"A=1", "B=x=y"});
  CHECK(command.selection.load_list == "ids");
  CHECK(command.reports.subunit == "-");
  CHECK(command.every_result);
  CHECK(command.selection.patterns == Words{"one", "-x", "--"});
}

TEST_CASE("Options: what is not said is the server's to choose") {
  const auto command = parsed<ListCommand>({"list", "./a"});
  CHECK_FALSE(command.project.server.jobs);
  CHECK_FALSE(command.project.server.timeout);
  CHECK(command.patterns.empty());
  CHECK(serve_command_line("/h", command.project.server) == Words{"/h", "serve", "--", "./a"});
}

TEST_CASE("Options: options may stand between and behind the programs, and take one value each") {
  const auto command = parsed<RunCommand>({"run", "./a", "--env", "A=1", "./b", "--jobs", "2"});
  CHECK(command.project.server.programs == Words{"./a", "./b"});
  CHECK(command.project.server.environment == Words{"A=1"});
  CHECK(command.project.server.jobs == 2);
}

TEST_CASE("Options: a server's command line says the same again") {
  const auto command =
      parsed<RunCommand>({"run", "-j3", "--timeout", "0.125", "--grace", "2.5", "--load-timeout",
                          "7", "--output-limit", "1", "--leaks", "ok", "--cwd", "/", "--env",
                          "A= b", "./a", "n=./b 'c d'"});
  auto words = serve_command_line("/h", command.project.server);
  words.erase(words.begin());
  const auto server = parsed<ServeCommand>(words).server;
  CHECK(server.programs == command.project.server.programs);
  CHECK(server.jobs == command.project.server.jobs);
  CHECK(server.timeout == command.project.server.timeout);
  CHECK(server.grace == command.project.server.grace);
  CHECK(server.load_timeout == command.project.server.load_timeout);
  CHECK(server.output_limit == command.project.server.output_limit);
  CHECK(server.leaks == command.project.server.leaks);
  CHECK(server.cwd == command.project.server.cwd);
  CHECK(server.environment == command.project.server.environment);
}

TEST_CASE("Options: a server that listens") {
  const auto command =
      parsed<ServeCommand>({"serve", "--listen", "unix:a/s", "--idle", "60", "./a"});
  CHECK(command.listen == "unix:a/s");
  CHECK(command.idle == 60);
  CHECK(ended({"serve", "--listen", "localhost:1", "./a"})
            .text.find("write unix:PATH or tcp:127.0.0.1:PORT") != std::string::npos);
  CHECK(ended({"serve", "--idle", "60", "./a"}).exit_code == 2);
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
      {{"run", "--server", "x", "./a"}, "--server and PROGRAMs"},
      {{"run", "--partition", "3/2"}, "'3/2' is not of the form"},
      {{"run", "--partition", "count:1/2"}, "is not of the form"},
      {{"run", "--shuffle=x"}, "the seed 'x' is not a number"},
      {{"run", "--until-failure", "--repeat", "2"}, "--repeat says how often"},
      {{"run", "--isolated", "--analyze-isolation"}, "give one"},
      {{"run", "--failing", "--load-list", "x"}, "--load-list"},
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
  CHECK(help.find("Usage: hearth run [OPTION]... [PROGRAM...] [-- REGEX...]\n") !=
        std::string::npos);
  CHECK(help.find("130 interrupted") != std::string::npos);
}

TEST_CASE("Command line: which tests, how often, in what order") {
  auto command = parsed<RunCommand>({"run"});
  CHECK(command.project.server.programs.empty());
  CHECK(command.repeat == 1);
  CHECK(command.max_failures == 0);
  CHECK(command.history);
  CHECK_FALSE(command.selection.shuffle);
  CHECK_FALSE(command.selection.listed_order);

  command = parsed<RunCommand>({"run", "--shuffle", "--partition", "2/3", "-x", "--retries", "4",
                                "--listed-order", "--last-failed-first", "--no-history", "-C", "/",
                                "./a"});
  CHECK(command.selection.shuffle);
  CHECK_FALSE(command.selection.seed);
  REQUIRE(command.selection.partition);
  CHECK(command.selection.partition->part == 2);
  CHECK(command.selection.partition->parts == 3);
  CHECK_FALSE(command.selection.partition->by_duration);
  CHECK(command.max_failures == 1);
  CHECK(command.retries == 4);
  CHECK(command.selection.listed_order);
  CHECK(command.selection.last_failed_first);
  CHECK_FALSE(command.history);
  CHECK(command.project.directory == "/");
  CHECK(command.project.server.programs == Words{"./a"});

  command = parsed<RunCommand>({"run", "--shuffle", "./a", "--", "--shuffle"});
  CHECK(command.selection.shuffle);
  CHECK_FALSE(command.selection.seed);
  CHECK(command.project.server.programs == Words{"./a"});
  CHECK(command.selection.patterns == Words{"--shuffle"});

  command = parsed<RunCommand>({"run", "--shuffle=17", "--partition", "duration:1/1"});
  CHECK(command.selection.seed == 17);
  CHECK(command.selection.partition->by_duration);
}

TEST_CASE("Command line: stream as testr and as stestr call it") {
  auto command = parsed<StreamCommand>({"stream", "--load-list", "ids"});
  CHECK(command.load_list == "ids");
  CHECK_FALSE(command.list);
  CHECK(parsed<StreamCommand>({"stream", "--list"}).list);
  CHECK(parsed<StreamCommand>({"stream", "a.b", "--", "-c.d"}).ids == Words{"a.b", "-c.d"});

  command = parsed<StreamCommand>({"stream", "-m", "stestr.subunit_runner.run", "discover", "-t",
                                   "./", "./tests", "--load-list", "/tmp/ids"});
  CHECK(command.load_list == "/tmp/ids");
  CHECK(command.ids.empty());
  command = parsed<StreamCommand>(
      {"stream", "-m", "stestr.subunit_runner.run", "discover", "-t", "./", "./tests", "--list"});
  CHECK(command.list);
  CHECK(command.ids.empty());
}
