// The executable itself: what each command prints where, and its exit code. The programs are ones
// that cannot be served, or do not exist: that takes no framework.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include "protocol/subunit_v2.hpp"

using namespace hearth::protocol;

namespace {

struct Result {
  int exit_code;
  std::string out;
};

// Runs `hearth ARGUMENTS` under sh; what goes to stderr is dropped unless the arguments redirect
// it.
Result call(const std::string& arguments) {
  const auto line = "exec 2>/dev/null; " HEARTH " " + arguments;
  FILE* const pipe = popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Result result{};
  std::array<char, 4096> buffer{};
  while (const auto size = fread(buffer.data(), 1, buffer.size(), pipe))
    result.out.append(buffer.data(), size);
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Command line: a program that cannot be served is listed, and fails with the cause") {
  const auto listed = call("list /no/such/prog other=/bin/true");
  CHECK(listed.exit_code == 0);
  CHECK(listed.out == "prog.load\nother.load\n");
  const auto run = call("run /no/such/prog other=/bin/true");
  CHECK(run.exit_code == 1);
  CHECK(has(run.out, "FAIL   prog.load"));
  CHECK(has(run.out, "No such file or directory"));
  CHECK(has(run.out, "FAIL   other.load"));
  CHECK(has(run.out, "0 passed, 2 failed in "));
  CHECK(call("check /no/such/prog").exit_code == 1);
  CHECK(call("check --compare other=/bin/true").exit_code == 1);
}

TEST_CASE("Command line: exit code 4 where nothing is selected") {
  CHECK(call("run /bin/true -- nothing-like-it").exit_code == 4);
  CHECK(call("list /bin/true -- nothing-like-it").exit_code == 4);
  CHECK(call("run --load-list /dev/null /bin/true").exit_code == 4);
}

TEST_CASE("Command line: exit code 2 for usage and set-up errors, with a word on stderr") {
  for (const char* arguments :
       {"", "nonsense", "run", "run --jobs 0 /bin/true", "run /bin/true -- '('",
        "run --load-list /no/such/list /bin/true", "run --subunit /no/such/folder/f /bin/true",
        "run --subunit /dev/full /bin/true", "run a=/bin/true a=/bin/false", "run \"'unclosed\"",
        "check /bin/true /bin/false", "check --compare --expected /no/such/list /bin/true"}) {
    CAPTURE(arguments);
    const auto result = call(std::string(arguments) + " 2>&1");
    CHECK(result.exit_code == 2);
    CHECK(has(result.out, "hearth: "));
  }
  CHECK(call("list /bin/true >/dev/full").exit_code == 2);
}

TEST_CASE("Command line: --subunit - leaves stdout to packets alone") {
  const auto result = call("run --subunit - prog=/bin/true");
  CHECK(result.exit_code == 1);
  PacketDecoder decoder;
  decoder.feed(as_bytes(result.out));
  decoder.finish();
  std::size_t results = 0;
  while (const auto event = decoder.next()) {
    const auto* packet = std::get_if<PacketView>(&*event);
    REQUIRE(packet != nullptr);
    CHECK(packet->test_id == "prog.load");
    if (packet->status == TestStatus::fail) ++results;
  }
  CHECK(results == 1);
}

TEST_CASE("Command line: ids from stdin are run as they are; the unknown ones fail") {
  const auto result =
      call("run -v --load-list - prog=/bin/true <<'END'\nprog.load\nprog.unknown\nEND\n");
  CHECK(result.exit_code == 1);
  CHECK(has(result.out, "FAIL   prog.load"));
  CHECK(has(result.out, "FAIL   prog.unknown"));
}

TEST_CASE("Command line: help goes to stdout, and is no error") {
  const auto result = call("run --help");
  CHECK(result.exit_code == 0);
  CHECK(has(result.out, "Usage: hearth run"));
}

TEST_CASE("Command line: closed standard descriptors do no harm") {
  CHECK(call("list /bin/true <&-").out == "true.load\n");
  CHECK(call("run /bin/true <&- >&-").exit_code == 1);
}
