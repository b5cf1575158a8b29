// The doctest adapter. The flags of the pkg-config module hearth-doctest put a doctest.h in front
// of doctest's own (wrap/), which includes this file behind doctest's implementation: in the one
// source file that has DOCTEST_CONFIG_IMPLEMENT or DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN. Where a
// program's own copy of doctest.h is found first, include this file by hand behind it, in that
// source file. Elsewhere it does nothing.
//
// How it works, in a program that a server started: Context::run() runs as ever. `Entrance` and
// `Report` are the first and the last of doctest's listeners. The program parks in
// Report::test_run_start(), behind the same hook of the program's own listeners. A test's child
// lets the run's filters select everything, and Entrance puts the test in the place of the first
// test case that doctest starts: the child pays for no other, however many there are. Its process
// ends with Report::test_case_end(). A shared process runs each of its tests in a Context of its
// own, inside Report::test_run_start(), from which everything is passed on to the first Context's
// listeners: these see one run. In a program started by hand nothing is
// registered.
//
// It uses doctest's internals, which are the same from doctest 2.4.6 to 2.5.2, and is compiled with
// them.
#ifdef DOCTEST_LIBRARY_IMPLEMENTATION
#ifndef HEARTH_DOCTEST_HPP
#define HEARTH_DOCTEST_HPP

#pragma GCC system_header

// Asked for by the module's libraries: without this file the program does not link.
extern "C" const char hearth_doctest_adapter_missing__include_hearth_doctest_hpp_after_doctest_h;
extern "C" const char hearth_doctest_adapter_missing__include_hearth_doctest_hpp_after_doctest_h =
    1;

#ifndef DOCTEST_CONFIG_DISABLE

#if __cplusplus < 201703L
#error "Hearth's doctest adapter is C++17: compile this file with -std=c++17 or later"
#endif

#include <hearth/names.hpp>
#include <hearth/zygote.hpp>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <mutex>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace hearth {
namespace doctest_adapter {
namespace {

using namespace ::doctest;
using namespace ::doctest::detail;

// ---- the tests

// Whether the program's own filters select the test; doctest's rule in Context::run().
bool passes_filters(const TestCase& test) {
  const auto& filters = g_cs->filters;
  const auto selected = [&](const char* text, std::size_t filter) {
    return matchesAny(text, filters[filter], true, g_cs->case_sensitive) &&
           !matchesAny(text, filters[filter + 1], false, g_cs->case_sensitive);
  };
  return selected(test.m_file.c_str(), 0) && selected(test.m_test_suite, 2) &&
         selected(test.m_name, 4);
}

class KnownTests final : public zygote::Tests {
 public:
  // Lists what the program's own flags select, and, hidden, what they would if they also asked for
  // test cases that are to be skipped. A random order is none to list in: then it is the order of
  // files.
  void collect() {
    unsigned ordinal = 0;
    for (const TestCase* test : in_order()) {
      if (!passes_filters(*test)) continue;
      const bool hidden = test->m_skip && !g_cs->no_skip;
      if (!hidden && !in_range(++ordinal)) continue;
      m_tests.push_back({test, hidden, {}});
    }
    name();
  }

  std::size_t count() const override { return m_tests.size(); }
  zygote::TestDescription describe(std::size_t index) const override {
    const Known& known = m_tests[index];
    zygote::TestDescription description;
    description.name = known.name;
    description.suite = known.test->m_test_suite;
    description.hidden = known.hidden;
    description.time_limit = limit(*known.test);
    description.file = known.test->m_file.c_str();
    description.line = static_cast<unsigned>(known.test->m_line);
    return description;
  }
  const TestCase& operator[](std::size_t index) const { return *m_tests[index].test; }
  bool has(const TestCase& test) const {
    return std::any_of(m_tests.begin(), m_tests.end(),
                       [&](const Known& known) { return known.test == &test; });
  }

 private:
  struct Known {
    const TestCase* test;
    bool hidden;
    std::string name;
  };

  static std::vector<const TestCase*> in_order() {
    std::vector<const TestCase*> tests;
    for (const TestCase& test : getRegisteredTests()) tests.push_back(&test);
    const auto& order = g_cs->order_by;
    if (order.compare("none", true) == 0) return tests;
    auto* comparator = fileOrderComparator;
    if (order.compare("suite", true) == 0) comparator = suiteOrderComparator;
    if (order.compare("name", true) == 0) comparator = nameOrderComparator;
    std::sort(tests.begin(), tests.end(), comparator);
    return tests;
  }

  // The program's flags --first and --last.
  static bool in_range(unsigned ordinal) {
    const bool behind = g_cs->last < ordinal && g_cs->first <= g_cs->last;
    return !behind && g_cs->first <= ordinal;
  }

  // doctest lets a test case that is over its time finish, and fails it. That is its verdict to
  // give: here the test is stopped only when it is far beyond, and may not pass or be excused any
  // more.
  static double limit(const TestCase& test) {
    constexpr double grace = 10;
    const bool excused = test.m_may_fail || test.m_should_fail || test.m_expected_failures > 0;
    return test.m_timeout > 0 && !excused ? test.m_timeout + grace : 0;
  }

  void name() {
    std::vector<zygote::NamedTest> tests;
    for (const Known& known : m_tests) {
      const std::string suite = known.test->m_test_suite;
      const std::string test = zygote::trimmed(known.test->m_name);
      tests.push_back({suite.empty() ? test : suite + '.' + test, known.test->m_file.c_str()});
    }
    const auto names = zygote::UniqueNames::of(tests);
    for (std::size_t i = 0; i < names.size(); ++i) m_tests[i].name = names[i];
  }

  std::vector<Known> m_tests;
};

// ---- the run

struct Run {
  KnownTests tests;
  const TestCase* test = nullptr;  // in a test's process
  bool finished = false;           // no test runs here any more
};

Run& the_run() {
  static Run* const run = new Run;  // outlives static destruction
  return *run;
}

// Nor is there work of the program's own to go on to: context.shouldExit() says so.
void select_nothing() {
  g_cs->first = UINT_MAX;
  g_cs->exit = true;
}

void select_everything() {
  for (std::size_t filter = 0; filter < 6; ++filter) g_cs->filters[filter].clear();
  g_cs->first = 0;
  g_cs->last = UINT_MAX;
  g_cs->no_skip = true;
}

// A listener that does nothing.
class Quiet : public IReporter {
 public:
  void report_query(const QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const TestRunStats&) override {}
  void test_case_start(const TestCaseData&) override {}
  void test_case_reenter(const TestCaseData&) override {}
  void test_case_end(const CurrentTestCaseStats&) override {}
  void test_case_exception(const TestCaseException&) override {}
  void subcase_start(const SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const AssertData&) override {}
  void log_message(const MessageData&) override {}
  void test_case_skipped(const TestCaseData&) override {}
};

// In the place of a reporter, which would write to the test's captured output, and lives as long as
// ever.
class Silenced final : public Quiet {
 public:
  explicit Silenced(IReporter* reporter) : m_reporter(reporter) {}
  ~Silenced() override { delete m_reporter; }
  Silenced(const Silenced&) = delete;
  Silenced& operator=(const Silenced&) = delete;

 private:
  IReporter* const m_reporter;
};

// The first of the listeners.
class Entrance final : public Quiet {
 public:
  explicit Entrance(const ContextOptions&) {}

  void test_run_start() override {
    auto& all = g_cs->reporters_currently_used;
    for (std::size_t i = getListeners().size(); i < all.size(); ++i) all[i] = new Silenced(all[i]);
  }

  // doctest calls what `data` names when this has returned.
  void test_case_start(const TestCaseData& data) override {
    const TestCase& first = static_cast<const TestCase&>(data);
    const TestCase* const wanted = the_run().test;
    if (wanted != nullptr && wanted != &first) const_cast<TestCase&>(first) = *wanted;
  }
};

// ---- a shared process

// The only listener of the Context that runs one test. The first Context's listeners are told of
// the test.
class Relay final : public IReporter {
 public:
  explicit Relay(const ContextOptions&) {}

  static void install(ContextState& outer) {
    all_of() = &outer;
    // What is known of them points into it.
    static const auto* const tests = new std::set<TestCase>(std::move(getRegisteredTests()));
    static_cast<void>(tests);
    free_signal_stack<FatalConditionHandler>(nullptr);
    getListeners().clear();
    registerReporter<Relay>("hearth", 0, false);
  }
  static void run(const TestCase& test) {
    getRegisteredTests().clear();
    getRegisteredTests().insert(test);
    Context context;
    context.addFilter("reporters", "none of them");
    context.run();
  }

  void test_run_start() override {
    const ContextState& outer = *all_of();
    static_cast<ContextOptions&>(*g_cs) = outer;
    g_cs->filters = outer.filters;
    g_no_colors = true;
    select_everything();
  }
  void test_run_end(const TestRunStats&) override {}
  void report_query(const QueryData&) override {}
  void test_case_skipped(const TestCaseData&) override {}

  void test_case_start(const TestCaseData& test) override {
    each([&](IReporter& one) { one.test_case_start(test); });
  }
  void test_case_reenter(const TestCaseData& test) override {
    each([&](IReporter& one) { one.test_case_reenter(test); });
  }
  void test_case_end(const CurrentTestCaseStats& stats) override {
    each([&](IReporter& one) { one.test_case_end(stats); });
  }
  void test_case_exception(const TestCaseException& exception) override {
    each([&](IReporter& one) { one.test_case_exception(exception); });
  }
  void subcase_start(const SubcaseSignature& subcase) override {
    each([&](IReporter& one) { one.subcase_start(subcase); });
  }
  void subcase_end() override {
    each([](IReporter& one) { one.subcase_end(); });
  }
  void log_assert(const AssertData& assertion) override {
    each([&](IReporter& one) { one.log_assert(assertion); });
  }
  void log_message(const MessageData& message) override {
    each([&](IReporter& one) { one.log_message(message); });
  }

 private:
  // The outer run's, which does not go on: an inner run's takes its place. Versions differ in
  // whether there is one.
  template <typename Handler>
  static auto free_signal_stack(std::nullptr_t) -> decltype(Handler::freeAltStackMem()) {
    Handler::freeAltStackMem();
  }
  template <typename Handler>
  static void free_signal_stack(const void*) {}

  static ContextState*& all_of() {
    static ContextState* outer = nullptr;
    return outer;
  }
  template <typename Tell>
  static void each(Tell tell) {
    for (IReporter* const listener : all_of()->reporters_currently_used) tell(*listener);
  }
};

// ---- what a test says

// The last of the listeners. What doctest's console would print of the test is its text: sent from
// the first failure on as it comes, so that it is there whatever the test does next.
class Report final : public Quiet {
 public:
  explicit Report(const ContextOptions& options) : m_console(options, m_stream) {}

  void test_run_start() override {
    g_no_colors = true;
    g_cs->force_colors = false;
    g_cs->duration = false;
    Run& run = the_run();
    if (run.finished) report_unserved(run);
    if (!run.finished) park(run);
    if (run.finished) select_nothing();
  }
  void test_run_end(const TestRunStats&) override {
    if (the_run().test == nullptr && !m_again) zygote::closed({});
  }

  void test_case_start(const TestCaseData& test) override {
    m_name = test.m_name;
    m_console.test_case_start(test);
  }
  void test_case_reenter(const TestCaseData& test) override { m_console.test_case_reenter(test); }
  void subcase_start(const SubcaseSignature& subcase) override { m_console.subcase_start(subcase); }
  void subcase_end() override { m_console.subcase_end(); }

  // From any of the test's threads.
  void log_assert(const AssertData& assertion) override {
    const std::lock_guard<std::mutex> lock(m_mutex);
    m_console.log_assert(assertion);
    say(assertion.m_failed && (assertion.m_at & assertType::is_warn) == 0);
  }
  void log_message(const MessageData& message) override {
    const std::lock_guard<std::mutex> lock(m_mutex);
    m_console.log_message(message);
    say((message.m_severity & assertType::is_warn) == 0);
  }

  // A crash comes from a signal handler, in the middle of anything: no lock. doctest then lets the
  // signal end the process, which is the verdict.
  void test_case_exception(const TestCaseException& exception) override {
    m_crashed = exception.is_crash;
    m_console.test_case_exception(exception);
    say(true);
  }

  void test_case_end(const CurrentTestCaseStats& stats) override {
    m_console.test_case_end(stats);
    if (m_crashed) return say(true);
    const zygote::Outcome outcome = outcome_of(stats);
    const bool failed = outcome != zygote::Outcome::success;
    say(failed);
    if (outcome == zygote::Outcome::fail && !m_failure_sent) {
      zygote::report::text("traceback",
                           "The test case failed; its decorator no_output hides doctest's text.\n");
    }
    if (!failed && !m_text.empty()) zygote::report::text("messages", m_text);
    if (!m_shared) zygote::report::finish(outcome);
    zygote::report::conclude(outcome);
    m_text.clear();
    m_failing = false;
    m_failure_sent = false;
  }

 private:
  void park(Run& run) {
    run.tests.collect();
    const auto assignment = zygote::park(run.tests, {});
    if (assignment.task == zygote::Task::run_test) {
      run.test = &run.tests[assignment.test];
      select_everything();
    } else if (assignment.task == zygote::Task::run_shared) {
      run_shared(run, assignment);
    } else {
      run.finished = true;
    }
  }

  [[noreturn]] void run_shared(Run& run, zygote::Assignment assignment) {
    m_shared = true;
    Relay::install(*g_cs);
    while (assignment.task != zygote::Task::finish) {
      Relay::run(run.tests[assignment.test]);
      assignment = zygote::next();
    }
    zygote::leave();
  }

  // Context::run() again, with a selection of its own that nobody was told about.
  static void report_unserved(const Run& run) {
    KnownTests more;
    more.collect();
    std::string names;
    for (std::size_t i = 0; i < more.count(); ++i) {
      if (!run.tests.has(more[i])) names += std::string(more.describe(i).name) + '\n';
    }
    if (names.empty()) return;
    zygote::closed(
        "The program runs doctest more than once, and selects other tests then. Hearth serves "
        "those of the first run only. Not served:\n" +
        names);
  }

  static zygote::Outcome outcome_of(const CurrentTestCaseStats& stats) {
    constexpr int expected = TestCaseFailureReason::ShouldHaveFailedAndDid |
                             TestCaseFailureReason::CouldHaveFailedAndDid |
                             TestCaseFailureReason::FailedExactlyNumTimes;
    if ((stats.failure_flags & expected) != 0) return zygote::Outcome::xfail;
    return stats.failure_flags == 0 ? zygote::Outcome::success : zygote::Outcome::fail;
  }

  // Takes what the console has printed. `failure`: the test has failed now, or had before.
  void say(bool failure) {
    m_text += without_heading(m_stream.str());
    m_stream.str(std::string());
    m_failing = m_failing || failure;
    if (!m_failing || m_text.empty()) return;
    zygote::report::text("traceback", m_text);
    m_text.clear();
    m_failure_sent = true;
  }

  // The console's heading, behind a line of '=', says where and what the test case is, which its id
  // says too; then the path of subcases, which stays.
  std::string without_heading(const std::string& text) const {
    const std::size_t line = text.find_first_not_of('=');
    const std::size_t end = text.find("\n\n");
    if (line == std::string::npos || line < 40 || end == std::string::npos) return text;
    const std::string heading = text.substr(line, end + 1 - line);
    const std::string name = m_name + '\n';
    std::size_t at = heading.find("TEST CASE:  " + name);
    if (at == std::string::npos) at = heading.find('\n' + name);
    if (at == std::string::npos) return text;
    const std::string subcases = heading.substr(heading.find(name, at) + name.size());
    return (subcases.empty() ? "" : "In the subcase\n" + subcases) + text.substr(end + 2);
  }

  const bool m_again = the_run().finished;  // this is not the first Context::run()
  std::mutex m_mutex;
  std::ostringstream m_stream;
  ConsoleReporter m_console;
  std::string m_name;
  std::string m_text;
  bool m_failing = false;
  bool m_failure_sent = false;
  bool m_crashed = false;
  bool m_shared = false;
};

bool attach() {
  if (!zygote::served()) return false;
  if (!zygote::hello("doctest", DOCTEST_VERSION_STR, true, &getRegisteredTests())) return false;
  registerReporter<Entrance>("hearth", INT_MAX, false);
  registerReporter<Report>("hearth", INT_MIN, false);
  return true;
}
const bool attached = attach();

}  // namespace
}  // namespace doctest_adapter
}  // namespace hearth

#endif  // DOCTEST_CONFIG_DISABLE
#endif  // HEARTH_DOCTEST_HPP
#endif  // DOCTEST_LIBRARY_IMPLEMENTATION
