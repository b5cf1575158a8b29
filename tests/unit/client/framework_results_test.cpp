#include "client/compare/framework_results.hpp"

#include <doctest/doctest.h>

#include "client/compare/xml_scanner.hpp"

using namespace hearth::client;
using hearth::protocol::TestStatus;

namespace {

// As GoogleTest 1.12 writes it, cut down to what varies.
const std::string googletest_json = R"({
  "tests": 5, "failures": 1, "disabled": 1, "name": "AllTests",
  "testsuites": [
    {"name": "A", "testsuite": [
      {"name": "Pass", "status": "RUN", "result": "COMPLETED", "classname": "A"},
      {"name": "Fail", "status": "RUN", "result": "COMPLETED", "classname": "A",
       "failures": [{"failure": "because of )"
                                    "\xff"
                                    R"(", "type": ""}]},
      {"name": "Skip", "status": "RUN", "result": "SKIPPED", "classname": "A"},
      {"name": "DISABLED_Off", "status": "NOTRUN", "result": "SUPPRESSED", "classname": "A"}]},
    {"name": "X/P", "testsuite": [
      {"name": "Many/0", "value_param": "0", "status": "RUN", "result": "COMPLETED"}]}]})";

// As doctest 2.4.9 writes it.
const std::string doctest_xml = R"(<?xml version="1.0" encoding="UTF-8"?>
<doctest binary="./d" version="2.4.9">
  <Options order_by="file"/>
  <TestSuite name="my &lt;suite>">
    <TestCase name="mf" filename="d.cc" line="4" may_fail="true">
      <Expression success="false" type="CHECK" filename="d.cc" line="4">
        <Original>
          1&lt;2 &amp;&amp; "quoted"
        </Original>
      </Expression>
      <OverallResultsAsserts successes="0" failures="1" test_case_success="true"/>
    </TestCase>
    <TestCase name="one &amp; two" filename="d.cc" line="4">
      <SubCase name="s" filename="d.cc" line="4">
      </SubCase>
      <OverallResultsAsserts successes="4" failures="0" test_case_success="true"/>
    </TestCase>
    <TestCase name="sfp" filename="d.cc" line="4" should_fail="true">
      <OverallResultsAsserts successes="1" failures="0" test_case_success="false"/>
    </TestCase>
  </TestSuite>
  <TestSuite>
    <TestCase name="sk" filename="d.cc" line="5" skipped="true"/>
    <TestCase name=" f " filename="d.cc" line="6">
      <OverallResultsAsserts successes="0" failures="1" test_case_success="false"/>
    </TestCase>
    <TestCase name="f" filename="d.cc" line="7" may_fail="true">
      <Exception crash="false">
        unknown exception
      </Exception>
      <OverallResultsAsserts successes="0" failures="0" test_case_success="true"/>
    </TestCase>
    <TestCase name="ef" filename="d.cc" line="8">
      <OverallResultsAsserts successes="0" failures="1" test_case_success="true" expected_failures="1"/>
    </TestCase>
  </TestSuite>
</doctest>
)";

}  // namespace

TEST_CASE("GoogleTest results: what ran, by the ids of Hearth, bad UTF-8 in a message or not") {
  const auto verdicts = parse_googletest_json(googletest_json, "prog");
  REQUIRE(verdicts);
  CHECK(verdicts->verdicts == Verdicts{{"prog.A.Pass", TestStatus::success},
                                       {"prog.A.Fail", TestStatus::fail},
                                       {"prog.A.Skip", TestStatus::skip},
                                       {"prog.X/P.Many/0", TestStatus::success}});
}

TEST_CASE("GoogleTest results: what is no result file is refused") {
  for (const char* bad : {"", "[]", "{}", "{\"testsuites\": [", "null"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_googletest_json(bad, "prog"));
  }
}

TEST_CASE("GoogleTest results: equal names are told apart by a number") {
  const auto results = parse_googletest_json(
      R"({"testsuites":[{"name":"A","testsuite":[{"name":"t","status":"RUN"},
          {"name":"t","status":"RUN","failures":[{}]}]}]})",
      "prog");
  REQUIRE(results);
  CHECK(results->verdicts ==
        Verdicts{{"prog.A.t", TestStatus::success}, {"prog.A.t #2", TestStatus::fail}});
  CHECK_FALSE(results->failed_outside);
}

// As GoogleTest 1.12 writes it: without a comma between both.
TEST_CASE("GoogleTest results: a failure outside all suites, and the comma that is missing there") {
  const auto results = parse_googletest_json(
      R"({"testsuites":[{"name":"A","testsuite":[{"name":"t","status":"RUN","file":"}{ \" }"}]}    {
          "name":"NonTestSuiteFailure","testsuite":[{"name":"","status":"RUN","failures":[{}]}]}]})",
      "prog");
  REQUIRE(results);
  CHECK(results->verdicts == Verdicts{{"prog.A.t", TestStatus::success}});
  CHECK(results->failed_outside);
}

TEST_CASE("GoogleTest's text: tests, whatever they print, and a suite's tear-down") {
  const auto results = parse_googletest_text(
      "a banner\n[==========] Running 5 tests from 3 test suites.\n"
      "[ RUN      ] A.B\n[       OK ] X.Y (0 ms)\nno newline\x1b[0;32m[       OK ] \x1b[mA.B (0 "
      "ms)\n"
      "[ RUN      ] A.B\n[  FAILED  ] A.B (3 ms)\n"
      "[ RUN      ] P/A.Fails/0\nx.cc:3: Failure\n[  FAILED  ] P/A.Fails/0, where GetParam() = 7 "
      "(1 ms)\n"
      "[ RUN      ] A.Skips\n[  SKIPPED ] A.Skips (0 ms)\n"
      "[ RUN      ] S.T\n[       OK ] S.T (0 ms)\n"
      "[----------] Global test environment tear-down\n"
      "[==========] 5 tests from 3 test suites ran. (5 ms total)\n[  PASSED  ] 2 tests.\n"
      "[  FAILED  ] P/A.Fails/0, where GetParam() = 7\n"
      "[  FAILED  ] S: SetUpTestSuite or TearDownTestSuite\n",
      "p");
  REQUIRE(results);
  CHECK(results->verdicts == Verdicts{{"p.A.B", TestStatus::success},
                                      {"p.A.B #2", TestStatus::fail},
                                      {"p.P/A.Fails/0", TestStatus::fail},
                                      {"p.A.Skips", TestStatus::skip},
                                      {"p.S.T", TestStatus::success}});
  CHECK(results->failed_suites == std::vector<std::string>{"S"});
  CHECK(results->complete);
  CHECK_FALSE(results->failed_outside);
}

TEST_CASE("GoogleTest's text: a crash, an environment's tear-down, iterations, no text at all") {
  auto results = parse_googletest_text(
      "[==========] Running 2 tests from 1 test suite.\n[ RUN      ] A.B\nSegmentation fault\n",
      "p");
  REQUIRE(results);
  CHECK(results->verdicts == Verdicts{{"p.A.B", TestStatus::fail}});
  CHECK_FALSE(results->complete);

  const std::string passes =
      "[==========] Running 1 test from 1 test suite.\n[ RUN      ] A.B\n[       OK ] A.B (0 ms)\n"
      "[----------] Global test environment tear-down\n";
  const std::string ran = "[==========] 1 test from 1 test suite ran. (0 ms total)\n";
  results = parse_googletest_text(passes + "x.cpp:3: Failure\nFailed\n" + ran, "p");
  REQUIRE(results);
  CHECK(results->failed_outside);

  const std::string fails =
      "[==========] Running 1 test from 1 test suite.\n[ RUN      ] A.B\n[  FAILED  ] A.B (0 ms)\n";
  for (const auto& text : {passes + ran + fails + ran, fails + ran + passes + ran}) {
    results = parse_googletest_text(text, "p");
    REQUIRE(results);
    CHECK(results->verdicts == Verdicts{{"p.A.B", TestStatus::fail}});
  }
  CHECK_FALSE(parse_googletest_text("unknown command line flag 'gtest_output'\n", "p"));
}

TEST_CASE("CppUnit's text: failures by name, or every test where it tells") {
  const std::vector<std::string> listed{"c.a::X.one", "c.a::X.two", "c.Y.same", "c.Y.same #2"};
  const std::string summary =
      "\n!!!FAILURES!!!\nTest Results:\nRun:  4   Failures: 1   Errors: 0\n\n";
  auto results = parse_cppunit_text(
      "..F..\n" + summary + "1) test: a::X::two (F) line: 5 cu.cpp\nassertion failed\n", "c",
      listed);
  REQUIRE(results);
  CHECK(results->verdicts == Verdicts{{"c.a::X.one", TestStatus::success},
                                      {"c.a::X.two", TestStatus::fail},
                                      {"c.Y.same", TestStatus::success},
                                      {"c.Y.same #2", TestStatus::success}});
  // As CompilerOutputter has it.
  results = parse_cppunit_text(
      "cu.cpp:5:Assertion\nTest name: a::X::one\nassertion failed\n\nFailures !!!\nRun: 4   "
      "Failure "
      "total: 1   Failures: 1   Errors: 0\n",
      "c", listed);
  REQUIRE(results);
  CHECK(results->verdicts.at("c.a::X.one") == TestStatus::fail);

  results = parse_cppunit_text(
      "a::X::one : OK\na::X::two : OK\nY::same : OK\nY::same : assertion\n" + summary, "c", listed);
  REQUIRE(results);
  CHECK(results->verdicts.at("c.Y.same") == TestStatus::success);
  CHECK(results->verdicts.at("c.Y.same #2") == TestStatus::fail);

  // What main printed before the first test, on its line.
  results = parse_cppunit_text(
      "Running all: a::X::one : OK\na::X::two : OK\nY::same : assertion\nY::same : OK\n" + summary,
      "c", listed);
  REQUIRE(results);
  CHECK(results->verdicts.at("c.a::X.one") == TestStatus::success);
  CHECK(results->verdicts.at("c.Y.same") == TestStatus::fail);

  // Lines that something else cut in two: those that failed are named elsewhere, or none did.
  const std::string torn =
      "a::X::one : OK\na::X::t\nOpened.\nwo : OK\nY::same : OK\nY::same : OK\n";
  results = parse_cppunit_text(torn + "\nOK (4)\n", "c", listed);
  REQUIRE(results);
  CHECK(results->verdicts.at("c.a::X.two") == TestStatus::success);
  CHECK_FALSE(parse_cppunit_text(torn + summary, "c", listed));

  results = parse_cppunit_text("....\n\n\nOK (4)\n", "c", listed);
  REQUIRE(results);
  CHECK(results->verdicts.size() == 4);
  // Which of two; others than are listed; nothing of CppUnit's.
  CHECK_FALSE(parse_cppunit_text(summary + "1) test: Y::same (F) line: 5 cu.cpp\n", "c", listed));
  CHECK_FALSE(parse_cppunit_text("OK (3)\n", "c", listed));
  CHECK_FALSE(parse_cppunit_text("all is well\n", "c", listed));
}

TEST_CASE("doctest results: suites, decorators, equal names, skipped cases") {
  const auto verdicts = parse_doctest_xml(doctest_xml, "d");
  REQUIRE(verdicts);
  CHECK(verdicts->verdicts == Verdicts{{"d.my <suite>.mf", TestStatus::xfail},
                                       {"d.my <suite>.one & two", TestStatus::success},
                                       {"d.my <suite>.sfp", TestStatus::fail},
                                       {"d.f", TestStatus::fail},
                                       {"d.f #2", TestStatus::xfail},
                                       {"d.ef", TestStatus::xfail}});
}

TEST_CASE("doctest results: a document that breaks off fails the case in which it does") {
  const auto end = doctest_xml.find("<OverallResultsAsserts successes=\"4\"");
  const auto verdicts = parse_doctest_xml(doctest_xml.substr(0, end), "d");
  REQUIRE(verdicts);
  CHECK(verdicts->verdicts == Verdicts{{"d.my <suite>.mf", TestStatus::xfail},
                                       {"d.my <suite>.one & two", TestStatus::fail}});
  CHECK_FALSE(verdicts->complete);
  CHECK_FALSE(parse_doctest_xml("", "d"));
  CHECK_FALSE(parse_doctest_xml("[doctest] test cases: 1", "d"));
}

TEST_CASE("doctest results: a document cut off anywhere is read without a fault") {
  for (std::size_t size = 0; size <= doctest_xml.size(); ++size) {
    const auto verdicts = parse_doctest_xml(doctest_xml.substr(0, size), "d");
    if (verdicts) CHECK(verdicts->verdicts.size() <= 6);
  }
}

TEST_CASE("XML scanner: tags, attributes, what is skipped") {
  XmlScanner scanner(
      "text <?xml v='1'?><!-- <no/> --><!DOCTYPE x><a b = '1>2' c=\"&#x41;&#66;&nope;\"/></a>");
  auto tag = scanner.next();
  REQUIRE(tag);
  CHECK(tag->name == "a");
  CHECK_FALSE(tag->closes);
  CHECK(tag->attribute("b") == "1>2");
  CHECK(tag->attribute("c") == "AB&nope;");
  CHECK(tag->empty);
  tag = scanner.next();
  REQUIRE(tag);
  CHECK(tag->name == "a");
  CHECK(tag->closes);
  CHECK_FALSE(scanner.next());
}

TEST_CASE("XML scanner: references become characters, in UTF-8") {
  CHECK(xml_unescaped("&lt;&gt;&amp;&quot;&apos;") == "<>&\"'");
  CHECK(xml_unescaped("&#233;&#x6e2c;&#x1f98a;") == "é測🦊");
  CHECK(xml_unescaped("a & b &; &#; &#xZ; &#x110000;") == "a & b &; &#; &#xZ; &#x110000;");
}
