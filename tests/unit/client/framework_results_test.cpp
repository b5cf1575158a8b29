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
  CHECK(*verdicts == Verdicts{{"prog.A.Pass", TestStatus::success},
                              {"prog.A.Fail", TestStatus::fail},
                              {"prog.A.Skip", TestStatus::skip},
                              {"prog.X/P.Many/0", TestStatus::success}});
}

TEST_CASE("GoogleTest results: what is no result file is refused") {
  for (const char* bad : {"", "[]", "{}", "{\"testsuites\": [", "null"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_googletest_json(bad, "prog"));
  }
  CHECK_FALSE(parse_googletest_json(
      R"({"testsuites":[{"name":"A","testsuite":[{"name":"t","status":"RUN"},{"name":"t","status":"RUN"}]}]})",
      "prog"));
}

TEST_CASE("doctest results: suites, decorators, equal names, skipped cases") {
  const auto verdicts = parse_doctest_xml(doctest_xml, "d");
  REQUIRE(verdicts);
  CHECK(*verdicts == Verdicts{{"d.my <suite>.mf", TestStatus::xfail},
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
  CHECK(*verdicts == Verdicts{{"d.my <suite>.mf", TestStatus::xfail},
                              {"d.my <suite>.one & two", TestStatus::fail}});
  CHECK_FALSE(parse_doctest_xml("", "d"));
  CHECK_FALSE(parse_doctest_xml("[doctest] test cases: 1", "d"));
}

TEST_CASE("doctest results: a document cut off anywhere is read without a fault") {
  for (std::size_t size = 0; size <= doctest_xml.size(); ++size) {
    const auto verdicts = parse_doctest_xml(doctest_xml.substr(0, size), "d");
    if (verdicts) CHECK(verdicts->size() <= 6);
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
