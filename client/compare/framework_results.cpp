#include "client/compare/framework_results.hpp"

#include <nlohmann/json.hpp>

#include "client/compare/xml_scanner.hpp"
#include "zygote/include/hearth/names.hpp"

namespace hearth::client {

using protocol::TestStatus;
using Json = nlohmann::json;

namespace {

// GoogleTest copies messages as they are. Ids are ASCII in practice; anything else becomes '?'.
std::string ascii(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  return out;
}

TestStatus googletest_status(const Json& test) {
  if (test.contains("failures")) return TestStatus::fail;
  return test.value("result", "") == "SKIPPED" ? TestStatus::skip : TestStatus::success;
}

// One test case of doctest's XML.
struct DoctestCase {
  std::string name;
  std::string file;
  bool skipped = false;
  bool excused = false;  // may_fail, should_fail, expected_failures
  bool failed_inside = false;
  TestStatus status = TestStatus::fail;  // until its results say otherwise
};

DoctestCase begin_case(const XmlTag& tag, const std::string& suite) {
  DoctestCase test;
  const auto name = zygote::trimmed(tag.attribute("name"));
  test.name = suite.empty() ? name : suite + "." + name;
  test.file = tag.attribute("filename");
  test.skipped = tag.attribute("skipped") == "true";
  test.excused = tag.attribute("may_fail") == "true" || tag.attribute("should_fail") == "true";
  return test;
}

void end_case(const XmlTag& tag, DoctestCase& test) {
  if (!tag.attribute("expected_failures").empty()) test.excused = true;
  if (tag.attribute("failures") != "0") test.failed_inside = true;
  if (tag.attribute("test_case_success") != "true") return;
  test.status = test.excused && test.failed_inside ? TestStatus::xfail : TestStatus::success;
}

std::vector<DoctestCase> read_cases(std::string_view text) {
  std::vector<DoctestCase> cases;
  std::string suite;
  bool inside = false;
  XmlScanner scanner(text);
  while (const auto tag = scanner.next()) {
    if (tag->name == "TestSuite" && !tag->closes) {
      suite = tag->attribute("name");
    } else if (tag->name == "TestCase") {
      if (!tag->closes) cases.push_back(begin_case(*tag, suite));
      inside = !tag->closes && !tag->empty;
    } else if (inside && tag->name == "Exception") {
      cases.back().failed_inside = true;
    } else if (inside && tag->name == "OverallResultsAsserts") {
      end_case(*tag, cases.back());
    }
  }
  return cases;
}

}  // namespace

Expected<Verdicts> parse_googletest_json(std::string_view text, const std::string& program) {
  constexpr bool throws = false;
  const auto json = Json::parse(ascii(text), nullptr, throws);
  const auto bad = [&](const char* cause) {
    return tl::make_unexpected(Error{"read GoogleTest's results of " + program, cause, ""});
  };
  if (!json.is_object() || !json.contains("testsuites"))
    return bad("they are no result file in JSON");
  Verdicts verdicts;
  for (const auto& suite : json.at("testsuites")) {
    for (const auto& test : suite.at("testsuite")) {
      if (test.value("status", "") != "RUN") continue;
      const auto id = program + "." + suite.value("name", "") + "." + test.value("name", "");
      if (!verdicts.emplace(id, googletest_status(test)).second)
        return bad("a test is there twice (--gtest_repeat?)");
    }
  }
  return verdicts;
}

Expected<Verdicts> parse_doctest_xml(std::string_view text, const std::string& program) {
  const auto cases = read_cases(text);
  std::vector<zygote::NamedTest> named;
  for (const auto& test : cases) named.push_back({test.name, test.file});
  const auto names = zygote::UniqueNames::of(named);
  Verdicts verdicts;
  for (std::size_t i = 0; i < cases.size(); ++i)
    if (!cases[i].skipped) verdicts.emplace(program + "." + names[i], cases[i].status);
  if (verdicts.empty() && text.find("<doctest") == std::string_view::npos)
    return tl::make_unexpected(
        Error{"read doctest's results of " + program, "they are no XML of doctest's", ""});
  return verdicts;
}

}  // namespace hearth::client
