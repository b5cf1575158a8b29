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

// Where a failure belongs to no suite (an environment's tear-down), GoogleTest 1.12 leaves out the
// comma between its suites and that failure's.
std::string with_missing_commas(std::string_view text) {
  std::string out;
  bool in_string = false;
  char before = ' ';  // the last character that is no blank
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!in_string && c == '{' && before == '}') out += ',';
    out += c;
    if (in_string && c == '\\' && i + 1 < text.size()) out += text[++i];
    if (c == '"') in_string = !in_string;
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') before = c;
  }
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

Expected<PlainResults> parse_googletest_json(std::string_view text, const std::string& program) {
  constexpr bool throws = false;
  auto json = Json::parse(ascii(text), nullptr, throws);
  if (json.is_discarded()) json = Json::parse(with_missing_commas(ascii(text)), nullptr, throws);
  if (!json.is_object() || !json.contains("testsuites"))
    return tl::make_unexpected(Error{"read GoogleTest's results of " + program,
                                     "they are no result file in JSON",
                                     "give the verdicts with --plain-results"});
  PlainResults results;
  std::vector<zygote::NamedTest> names;
  std::vector<TestStatus> statuses;
  for (const auto& suite : json.at("testsuites")) {
    for (const auto& test : suite.at("testsuite")) {
      const auto name = test.value("name", "");
      if (name.empty()) results.failed_outside = true;
      if (name.empty() || test.value("status", "") != "RUN") continue;
      names.push_back({suite.value("name", "") + "." + name, {}});
      statuses.push_back(googletest_status(test));
    }
  }
  const auto unique = zygote::UniqueNames::of(names);
  for (std::size_t i = 0; i < unique.size(); ++i)
    results.verdicts.emplace(program + "." + unique[i], statuses[i]);
  return results;
}

Expected<PlainResults> parse_doctest_xml(std::string_view text, const std::string& program) {
  const auto cases = read_cases(text);
  std::vector<zygote::NamedTest> named;
  for (const auto& test : cases) named.push_back({test.name, test.file});
  const auto names = zygote::UniqueNames::of(named);
  PlainResults results;
  results.complete = text.find("</doctest>") != std::string_view::npos;
  for (std::size_t i = 0; i < cases.size(); ++i)
    if (!cases[i].skipped) results.verdicts.emplace(program + "." + names[i], cases[i].status);
  if (results.verdicts.empty() && text.find("<doctest") == std::string_view::npos)
    return tl::make_unexpected(
        Error{"read doctest's results of " + program, "they are no XML of doctest's", ""});
  return results;
}

}  // namespace hearth::client
