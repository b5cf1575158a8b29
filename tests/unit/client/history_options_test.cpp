#include <doctest/doctest.h>

#include "client/options.hpp"

namespace hearth::client {
namespace {

template <typename T>
T parsed(std::vector<std::string> arguments) {
  const auto command = parse_command_line(std::move(arguments));
  REQUIRE_MESSAGE(command, (command ? "" : command.error().text));
  REQUIRE(std::holds_alternative<T>(*command));
  return std::get<T>(*command);
}

std::string refused(std::vector<std::string> arguments) {
  const auto command = parse_command_line(std::move(arguments));
  REQUIRE(!command);
  CHECK(command.error().exit_code == 2);
  return command.error().text;
}

TEST_CASE("parse_command_line: the commands that show the history") {
  CHECK(parsed<LastCommand>({"last"}).directory == ".");
  CHECK(parsed<LastCommand>({"last", "--subunit", "-C", "/"}).subunit);
  CHECK(parsed<LastCommand>({"last", "-C", "/"}).directory == "/");
  CHECK(!parsed<FailingCommand>({"failing"}).verbose);
  CHECK(parsed<FailingCommand>({"failing", "-v"}).verbose);
  CHECK(parsed<FailingCommand>({"failing", "--subunit"}).subunit);
  CHECK(parsed<SlowestCommand>({"slowest"}).count == 10);
  CHECK(parsed<SlowestCommand>({"slowest", "3"}).count == 3);
  CHECK(parsed<SlowestCommand>({"slowest", "--all"}).all);
  CHECK(parsed<HistoryCommand>({"history", "p.S.T"}).id == "p.S.T");
  CHECK(parsed<HistoryCommand>({"history", "--", "--odd"}).id == "--odd");
  CHECK(parsed<FlakyCommand>({"flaky"}).directory == ".");
}

TEST_CASE("parse_command_line: what the commands that show the history do not take") {
  CHECK(refused({"history"}).find("TEST") != std::string::npos);
  CHECK(refused({"history", "a", "b"}).find("b") != std::string::npos);
  CHECK(refused({"slowest", "0"}).find("N") != std::string::npos);
  CHECK(refused({"slowest", "many"}).find("many") != std::string::npos);
  CHECK(refused({"last", "program"}).find("program") != std::string::npos);
  CHECK(refused({"last", "--", "program"}).find("program") != std::string::npos);
  CHECK(refused({"flaky", "-C", "/nowhere"}).find("/nowhere") != std::string::npos);
}

}  // namespace
}  // namespace hearth::client
