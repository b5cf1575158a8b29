// What frameworks print, for programs that write no result file.
#include <algorithm>
#include <charconv>
#include <map>

#include "client/compare/framework_results.hpp"
#include "zygote/include/hearth/names.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

// Calls `use` for each line, without colours.
template <typename Use>
void for_each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string line;
    for (std::size_t i = 0; i < end; ++i) {
      if (text[i] == '\x1b' && i + 1 < end && text[i + 1] == '[') {
        while (i < end && text[i] != 'm') ++i;
      } else if (text[i] != '\r') {
        line += text[i];
      }
    }
    text.remove_prefix(std::min(end + 1, text.size()));
    use(std::string_view(line));
  }
}

// What follows `mark` in the line, up to one of `ends`.
std::optional<std::string_view> after(std::string_view line, std::string_view mark,
                                      std::string_view ends = {}) {
  const auto at = line.find(mark);
  if (at == line.npos) return std::nullopt;
  line.remove_prefix(at + mark.size());
  return line.substr(0, std::min(line.find_first_of(ends), line.size()));
}

// ---- GoogleTest

class GoogleTestText {
 public:
  explicit GoogleTestText(const std::string& program) : m_program(program) {}

  void read(std::string_view line) {
    if (line.starts_with("[==========] Running ")) {
      finish_iteration();
      m_begun = true;
      m_results.complete = false;
    } else if (line.starts_with("[==========] ") && line.find(" ran.") != line.npos) {
      m_results.complete = true;
    } else if (!m_begun) {
      return;
    } else if (const auto name = after(line, "[ RUN      ] ")) {
      m_names.push_back({std::string(*name), {}});
      m_statuses.push_back(TestStatus::fail);  // until it has ended
      m_running = true;
    } else if (const auto suite = after(line, "[  FAILED  ] ", ":");
               suite && line.ends_with(": SetUpTestSuite or TearDownTestSuite")) {
      m_results.failed_suites.emplace_back(*suite);
    } else if (m_running) {
      end(line, "[       OK ] ", TestStatus::success);
      end(line, "[  SKIPPED ] ", TestStatus::skip);
      end(line, "[  FAILED  ] ", TestStatus::fail);
    }
    // What an environment's tear-down prints comes between these two.
    if (line.starts_with("[----------] Global test environment tear-down")) m_tears_down = true;
    if (line.starts_with("[==========]")) m_tears_down = false;
    if (m_tears_down && line.ends_with(": Failure")) m_results.failed_outside = true;
  }

  std::optional<PlainResults> take() {
    if (!m_begun) return std::nullopt;
    finish_iteration();
    return std::move(m_results);
  }

 private:
  // A test may have left its last line without an end.
  void end(std::string_view line, std::string_view mark, TestStatus status) {
    const auto name = after(line, mark, " ,");
    if (!name || *name != m_names.back().name) return;
    m_statuses.back() = status;
    m_running = false;
  }

  void finish_iteration() {
    const auto unique = zygote::UniqueNames::of(m_names);
    for (std::size_t i = 0; i < unique.size(); ++i) {
      auto& verdict =
          m_results.verdicts.try_emplace(m_program + "." + unique[i], m_statuses[i]).first->second;
      if (m_statuses[i] == TestStatus::fail) verdict = TestStatus::fail;
    }
    m_names.clear();
    m_statuses.clear();
    m_running = false;
  }

  const std::string& m_program;
  PlainResults m_results;
  std::vector<zygote::NamedTest> m_names;  // of this iteration
  std::vector<TestStatus> m_statuses;
  bool m_begun = false;
  bool m_running = false;
  bool m_tears_down = false;
};

// ---- CppUnit

// Of a test, however its suite and its name are joined.
std::string key_of(std::string_view name) {
  std::string key;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool colons = name.substr(i).starts_with("::");
    key += colons ? '.' : name[i];
    if (colons) ++i;
  }
  return key;
}

struct CppUnitText {
  struct Brief {
    std::string name;
    TestStatus status;
  };
  std::vector<Brief> brief;
  std::vector<std::string> failed;
  std::optional<std::size_t> tests;
  std::size_t failures = 0;  // by the summary's count

  void read(std::string_view line) {
    static constexpr std::pair<std::string_view, TestStatus> endings[] = {
        {" : OK", TestStatus::success},
        {" : assertion", TestStatus::fail},
        {" : error", TestStatus::fail}};
    for (const auto& [ending, status] : endings)
      if (line.ends_with(ending))
        brief.push_back({std::string(line.substr(0, line.size() - ending.size())), status});
    if (line.starts_with("OK (")) tests = number(line.substr(4));
    if (line.starts_with("Run: ")) {
      tests = number(line.substr(4));
      failures = number(after(line, "Failures:").value_or("")).value_or(0) +
                 number(after(line, "Errors:").value_or("")).value_or(0);
    }
    if (line.starts_with("Test name: ")) failed.emplace_back(line.substr(11));
    const auto name = after(line, ") test: ");
    const bool numbered = !line.empty() && line.front() >= '1' && line.front() <= '9';
    const auto kind = name ? name->rfind(" (") : std::string_view::npos;
    if (numbered && kind != std::string_view::npos) failed.emplace_back(name->substr(0, kind));
  }

 private:
  static std::optional<std::size_t> number(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::size_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc() ? std::optional(value) : std::nullopt;
  }
};

// The ids that a name may mean, in the order of the list.
class Ids {
 public:
  Ids(const std::string& program, const std::vector<std::string>& listed) {
    for (const auto& id : listed) {
      auto name = id.substr(std::min(program.size() + 1, id.size()));
      const auto number = name.rfind(" #");
      if (number != std::string::npos) name.resize(number);
      m_by_key[key_of(name)].push_back(id);
    }
  }
  [[nodiscard]] const std::vector<std::string>& of(const std::string& name) const {
    static const std::vector<std::string> none;
    const auto key = key_of(name);
    if (const auto found = m_by_key.find(key); found != m_by_key.end()) return found->second;
    const std::vector<std::string>* only = nullptr;
    for (const auto& [other, ids] : m_by_key) {
      if (!other.ends_with("." + key)) continue;
      if (only != nullptr) return none;
      only = &ids;
    }
    return only != nullptr ? *only : none;
  }

 private:
  std::map<std::string, std::vector<std::string>> m_by_key;
};

// Of tests that BriefTestProgressListener names, one a line. What the program printed before, on
// the same line, is left out. nullopt: some line names none that is listed.
std::optional<Verdicts> verdicts_of(const std::vector<CppUnitText::Brief>& brief, const Ids& ids) {
  Verdicts verdicts;
  std::map<std::string, std::size_t> seen;  // by the first id of the name
  for (const auto& [line, status] : brief) {
    const auto* meant = &ids.of(line);
    for (auto space = line.find(' '); meant->empty() && space != std::string::npos;
         space = line.find(' ', space + 1))
      meant = &ids.of(line.substr(space + 1));
    if (meant->empty()) return std::nullopt;
    const auto which = seen[meant->front()]++;
    if (which >= meant->size()) return std::nullopt;
    verdicts.emplace((*meant)[which], status);
  }
  return verdicts;
}

}  // namespace

std::optional<PlainResults> parse_googletest_text(std::string_view text,
                                                  const std::string& program) {
  GoogleTestText reader(program);
  for_each_line(text, [&](std::string_view line) { reader.read(line); });
  return reader.take();
}

std::optional<PlainResults> parse_cppunit_text(std::string_view text, const std::string& program,
                                               const std::vector<std::string>& listed) {
  CppUnitText said;
  for_each_line(text, [&](std::string_view line) { said.read(line); });
  if (!said.tests || *said.tests != listed.size()) return std::nullopt;
  const Ids ids(program, listed);
  if (auto verdicts = verdicts_of(said.brief, ids); verdicts && verdicts->size() == listed.size())
    return PlainResults{.verdicts = *std::move(verdicts)};
  if (said.failures != said.failed.size()) return std::nullopt;
  PlainResults results;
  for (const auto& id : listed) results.verdicts.emplace(id, TestStatus::success);
  for (const auto& name : said.failed) {
    const auto& meant = ids.of(name);
    if (meant.size() != 1) return std::nullopt;
    results.verdicts[meant.front()] = TestStatus::fail;
  }
  return results;
}

}  // namespace hearth::client
