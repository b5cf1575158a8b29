#include "server/program_spec.hpp"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

using namespace hearth::server;
using hearth::test::TemporaryFolder;
using Words = std::vector<std::string>;

TEST_CASE("Command line: words are split as a shell splits them") {
  const struct {
    const char* line;
    Words words;
  } cases[] = {
      {"", {}},
      {" \t\n ", {}},
      {"one", {"one"}},
      {"  one\ttwo\nthree  ", {"one", "two", "three"}},
      {"'one two'", {"one two"}},
      {"\"one two\"", {"one two"}},
      {"''", {""}},
      {"\"\" x", {"", "x"}},
      {"a'b'c\"d\"e", {"abcde"}},
      {"one\\ two", {"one two"}},
      {"'back\\slash'", {"back\\slash"}},
      {"\"quote \\\" in\"", {"quote \" in"}},
      {"\"it's\"", {"it's"}},
      {"'say \"hi\"'", {"say \"hi\""}},
      {"\\'", {"'"}},
      {"end\\", {"end\\"}},
      {"$HOME *", {"$HOME", "*"}},
      {"--gtest_filter='A.*:-B.*'", {"--gtest_filter=A.*:-B.*"}},
  };
  for (const auto& one : cases) {
    CAPTURE(one.line);
    const auto words = split_words(one.line);
    REQUIRE(words);
    CHECK(*words == one.words);
  }
}

TEST_CASE("Command line: a quote that is not closed is an error") {
  for (const char* const line : {"'", "\"", "a 'b", "a \"b\\\"", "'a\\'"}) {
    CAPTURE(line);
    const auto words = split_words(line);
    CHECK(words.has_value() == (std::string(line) == "'a\\'"));
    if (!words) CHECK(words.error().text().find("is not closed") != std::string::npos);
  }
}

TEST_CASE("Program: a path, NAME=PATH, a quoted command line") {
  const TemporaryFolder folder;
  const std::string plain = folder.write("plain", "").string();
  const std::string blanks = folder.write("two words", "").string();
  const std::string equals = folder.write("a=b", "").string();
  const struct {
    std::string argument;
    std::string name;
    std::string path;
    Words arguments;
  } cases[] = {
      {plain, "plain", plain, {}},
      {"other=" + plain, "other", plain, {}},
      {"v1.2+x-y_z=" + plain, "v1.2+x-y_z", plain, {}},
      {plain + " --one 'two three'", "plain", plain, {"--one", "two three"}},
      {"n=" + plain + " --key=value", "n", plain, {"--key=value"}},
      {blanks, "two_words", blanks, {}},
      {"n=" + blanks, "n", blanks, {}},
      {"'" + blanks + "' x", "two_words", blanks, {"x"}},
      {equals, "a_b", equals, {}},
      {"n=" + equals, "n", equals, {}},
      {"/nowhere/at/all", "all", "/nowhere/at/all", {}},
      {"/nowhere/at/all --x=y", "all", "/nowhere/at/all", {"--x=y"}},
      {"sh -c true", "sh", "/bin/sh", {"-c", "true"}},
  };
  for (const auto& one : cases) {
    CAPTURE(one.argument);
    const auto spec = parse_program(one.argument);
    REQUIRE(spec);
    CHECK(spec->name == one.name);
    CHECK(std::filesystem::path(spec->path).filename() ==
          std::filesystem::path(one.path).filename());
    CHECK(spec->path.front() == '/');
    CHECK(spec->arguments == one.arguments);
  }
}

TEST_CASE("Program: one that names no file is refused") {
  for (const char* const argument : {"", " ", "n=", "'unclosed"}) {
    CAPTURE(argument);
    CHECK_FALSE(parse_program(argument));
  }
}

TEST_CASE("Program: a name is valid UTF-8, whatever the file is called") {
  CHECK(parse_program("/x/\xC3\xBC")->name == "\xC3\xBC");
  CHECK(parse_program("/x/\xFC.t")->name == "_.t");
  const TemporaryFolder folder;
  CHECK(parse_program(folder.write("a\nb", "").string())->name == "a_b");
  CHECK(parse_program("\xFC=/bin/true")->path.find("\xFC=") != std::string::npos);
}

TEST_CASE("Programs: two whose tests could have one id are refused") {
  const struct {
    Words arguments;
    bool accepted;
  } cases[] = {
      {{"/x/a", "/x/b"}, true},
      {{"/x/a", "/y/a"}, false},
      {{"a=/x/b", "/y/a"}, false},
      {{"/x/a", "/x/a.b"}, false},
      {{"/x/a.b", "/x/a"}, false},
      {{"/x/a", "/x/ab"}, true},
      {{"/x/a.b", "/x/a.c", "/x/ab.c"}, true},
      {{"/x/a b", "c=/x/a"}, true},
  };
  for (const auto& one : cases) {
    CAPTURE(one.arguments.front());
    const auto specs = parse_programs(one.arguments);
    CHECK(specs.has_value() == one.accepted);
    if (specs) {
      CHECK(specs->size() == one.arguments.size());
    } else {
      CHECK(specs.error().text().find("NAME=") != std::string::npos);
    }
  }
}
