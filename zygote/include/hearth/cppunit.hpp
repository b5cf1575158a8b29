// The CppUnit adapter. The flags of the pkg-config module hearth-cppunit include this file ahead of
// every source file; it can also be included by hand in one of a program's files.
//
// How it works: CppUnit has no hook for "all tests, about to run", so the adapter stands in front
// of the four functions of libcppunit that every run goes through, whatever the program's main()
// does: TestResult::runTest (the runners), TestComposite::run (suite->run(&result)),
// TestComposite::doRunChildTests and TestCase::run. Their definitions here are found before the
// shared library's, which they call. In a program that a server started, the first of them to be
// called is where it parks. In a test's child the run goes on through the framework, decorators and
// fixtures and all, but only along the path from the root to the one test. The listener of
// libcppunit-subunit tells its result; the child's process ends when the run has. In a shared
// process a composite goes on to its next child as long as the test that is to follow is below it;
// what is not on the way to that one is left, and torn down, before the test is asked for. In a
// program started by hand each of the four calls the library's function and does nothing else.
//
// Needs libcppunit as a shared library. Compiled in the user's build.
#if defined(__cplusplus) && !defined(HEARTH_CPPUNIT_HPP)
#if __has_include(<cppunit/TestResult.h>)
#define HEARTH_CPPUNIT_HPP

#pragma GCC system_header

#if __cplusplus < 201703L
#error "Hearth's CppUnit adapter is C++17: compile with -std=c++17 or later"
#endif

// The definitions in front of the library's have to be visible to it, also under
// -fvisibility=hidden.
#pragma GCC visibility push(default)

#include <cppunit/BriefTestProgressListener.h>
#include <cppunit/CompilerOutputter.h>
#include <cppunit/SourceLine.h>
#include <cppunit/TestCase.h>
#include <cppunit/TestComposite.h>
#include <cppunit/TestFailure.h>
#include <cppunit/TestListener.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestSuite.h>
#include <cppunit/TextOutputter.h>
#include <cppunit/TextTestProgressListener.h>
#include <cppunit/XmlOutputter.h>
#include <cppunit/extensions/RepeatedTest.h>
#include <cppunit/extensions/TestDecorator.h>
#include <subunit/SubunitTestProgressListener.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <hearth/names.hpp>
#include <hearth/zygote.hpp>

#define HEARTH_IN_FRONT __attribute__((weak, used))

// Asked for by the module's libraries: without this file the program does not link.
extern "C" {
HEARTH_IN_FRONT char hearth_cppunit_adapter_missing__compile_with_the_flags_of_hearth_cppunit = 1;
}

namespace hearth {
namespace cppunit {

using CPPUNIT_NS::Test;
using CPPUNIT_NS::TestFailure;
using CPPUNIT_NS::TestResult;

// ---- the tests

// Protected members, by the language's rule for pointers to members.
struct Decorator : CPPUNIT_NS::TestDecorator {
  static Test* inner(TestDecorator& decorator) { return decorator.*(&Decorator::m_test); }
};
struct Listeners : TestResult {
  static TestListeners of(TestResult& result) { return result.*(&Listeners::m_listeners); }
};

// The test that another stands for: a decorator's, or the only one that a runner was given, whose
// place the runner's own suite takes. nullptr: none.
inline Test* stands_for(Test& test) {
  if (auto* const decorator = dynamic_cast<CPPUNIT_NS::TestDecorator*>(&test))
    return Decorator::inner(*decorator);
  auto* const suite = dynamic_cast<CPPUNIT_NS::TestSuite*>(&test);
  if (suite == nullptr || suite->getTests().size() != 1) return nullptr;
  Test* const only = suite->getTests().front();
  return suite->getChildTestCount() == 1 && suite->getChildTestAt(0) == only ? nullptr : only;
}

struct KnownTest {
  std::vector<Test*> path;  // from the root to the test itself
  std::string suite;
  std::string name;
};

class KnownTests final : public zygote::Tests {
 public:
  void collect(Test& root) {
    std::vector<Test*> path;
    collect(root, path, {});
    std::vector<zygote::NamedTest> names;
    for (const KnownTest& test : m_tests) names.push_back({test.name, {}});
    const auto unique = zygote::UniqueNames::of(names);
    for (std::size_t i = 0; i < unique.size(); ++i) m_tests[i].name = unique[i];
  }

  std::size_t count() const override { return m_tests.size(); }
  zygote::TestDescription describe(std::size_t test) const override {
    zygote::TestDescription description;
    description.name = m_tests[test].name;
    description.suite = m_tests[test].suite;
    return description;
  }
  const KnownTest& operator[](std::size_t test) const { return m_tests[test]; }
  bool has(const Test* test) const {
    return std::any_of(m_tests.begin(), m_tests.end(),
                       [&](const KnownTest& t) { return t.path.back() == test; });
  }

 private:
  void collect(Test& test, std::vector<Test*>& path, const std::string& parent) {
    path.push_back(&test);
    if (Test* const inner = stands_for(test)) {
      collect(*inner, path, parent);
    } else if (test.getChildTestCount() > 0) {
      const std::string name = test.getName();
      for (int i = 0; i < test.getChildTestCount(); ++i)
        collect(*test.getChildTestAt(i), path, name);
    } else if (test.countTestCases() > 0) {
      add(test, path, parent);
    }
    path.pop_back();
  }

  // CppUnit's macros name a test "Fixture::test", in a suite of the name "Fixture".
  void add(const Test& test, const std::vector<Test*>& path, const std::string& parent) {
    const std::string whole = test.getName();
    std::string suite = parent;
    std::string name = whole;
    if (!parent.empty() && whole.compare(0, parent.size() + 2, parent + "::") == 0) {
      name = whole.substr(parent.size() + 2);
    } else if (const std::size_t colons = whole.rfind("::");
               colons != std::string::npos && colons > 0) {
      suite = whole.substr(0, colons);
      name = whole.substr(colons + 2);
    }
    name = zygote::trimmed(name);
    m_tests.push_back({path, suite, suite.empty() ? name : zygote::trimmed(suite) + '.' + name});
  }

  std::vector<KnownTest> m_tests;
};

// ---- what a test says

// What libcppunit-subunit's listener says through libsubunit, from the first call to the last of
// one test: subunit v1. libsubunit would write to the test's own stdout; its functions are stood in
// front of as well. An event is one call, so that no output of the test's threads can come in
// between.
class Subunit {
 public:
  // Sets where this thread's calls of libsubunit go, for its own life.
  explicit Subunit(std::string& events) : m_before(target()) { target() = &events; }
  ~Subunit() { target() = m_before; }
  Subunit(const Subunit&) = delete;
  Subunit& operator=(const Subunit&) = delete;

  // The bytes libsubunit writes for an event, whose name has to stay on its line. `details` may be
  // nullptr.
  static std::string event(const char* kind, const char* name, const char* details) {
    std::string text = std::string(kind) + ": " + name;
    std::replace(text.begin(), text.end(), '\n', ' ');
    if (details == nullptr) return text + '\n';
    text += std::string(" [\n") + details;
    if (text.back() != '\n') text += '\n';
    return text + "]\n";
  }

  // One for all copies of this: those of the first.
  static std::string*& target() {
    using Target = std::string*& (*)();
    static const Target first = [] {
      void*& place = zygote::shared_place("CppUnit's events", sizeof(Target));
      if (place == nullptr) place = reinterpret_cast<void*>(&own_target);
      return reinterpret_cast<Target>(place);
    }();
    return first();
  }

 private:
  static std::string*& own_target() {
    static thread_local std::string* events = nullptr;
    return events;
  }

  std::string* m_before;
};

// Tells what happens to one test, however often a decorator repeats it: the text of failures as
// they come, and the result, which is the last word, when the run is over. A test that ends its
// process before that has none.
class Relay final : public CPPUNIT_NS::TestListener {
 public:
  // `finishes`: the process ends with the test.
  Relay(const Test* test, bool finishes) : m_finishes(finishes), m_test(test) {}

  void startTest(Test* test) override {
    if (test == m_test) m_start = said([&] { m_listener.startTest(test); });
  }
  void addFailure(const TestFailure& failure) override {
    const std::string event = located(said([&] { m_listener.addFailure(failure); }), failure);
    zygote::report::text("traceback", details_of(event));
    if (m_failure.empty()) m_failure = event.substr(0, event.find(" [\n")) + '\n';
  }
  void endTest(Test* test) override {
    if (test == m_test) m_pass = said([&] { m_listener.endTest(test); });
  }
  void endTestRun(Test*, TestResult*) override {
    if (m_finishes) finish();
  }

  [[noreturn]] void finish() {
    say_result();
    zygote::report::finish();
  }

  // The same in a shared process, in which the next test begins.
  void conclude() {
    say_result();
    zygote::report::conclude();
    m_test = nullptr;
  }
  void begin(const Test* test) {
    m_test = test;
    m_start.clear();
    m_pass.clear();
    m_failure.clear();
  }

 private:
  // None where the test was never started.
  void say_result() const {
    const std::string& result = m_failure.empty() ? m_pass : m_failure;
    if (!result.empty()) zygote::report::subunit_v1(m_start + result);
  }

  template <typename Call>
  static std::string said(Call call) {
    std::string events;
    const Subunit here(events);
    call();
    return events;
  }

  // The listener's "line: 7 file.cpp", which runs into the message, as editors and people know it.
  static std::string located(std::string event, const TestFailure& failure) {
    if (!failure.sourceLine().isValid()) return event;
    const std::string file = failure.sourceLine().fileName();
    const std::string line = std::to_string(failure.sourceLine().lineNumber());
    const std::string theirs = "line: " + line + ' ' + file;
    const std::size_t at = event.find(theirs);
    if (at != std::string::npos) event.replace(at, theirs.size(), file + ':' + line + ": ");
    return event;
  }

  static std::string details_of(const std::string& event) {
    const std::size_t begin = event.find("[\n");
    const std::size_t end = event.rfind("]\n");
    if (begin == std::string::npos || end == std::string::npos || end < begin + 2) return event;
    return event.substr(begin + 2, end - begin - 2);
  }

  const bool m_finishes;
  const Test* m_test;
  CPPUNIT_NS::SubunitTestProgressListener m_listener;
  std::string m_start;
  std::string m_pass;
  std::string m_failure;
};

// ---- the run

class Run {
 public:
  static Run& instance() {
    static Run* const run = [] {
      void*& place = zygote::shared_place("CppUnit's run", sizeof(Run));
      if (place == nullptr) place = new Run;  // outlives static destruction
      return static_cast<Run*>(place);
    }();
    return *run;
  }

  // Whether a call is to pass through to the library as if we were not there: in a program started
  // by hand, and from inside the one test that runs here.
  bool passes() const { return !zygote::served() || m_inside; }

  // Around the library's part of a run. The outermost one parks before it.
  template <typename Call>
  void around(Test& test, TestResult& result, Call call) {
    if (passes()) return call();
    if (m_depth++ == 0) enter(test, result);
    if (m_shared && m_depth == 1) run_shared(call);
    call();
    if (--m_depth == 0 && in_test_process()) m_relay->finish();
  }

  // What a composite does about its children, once parked: in a test's process the one on the way
  // to the test; all of them where the composite is none of CppUnit's tree, for TestCase::run to
  // choose.
  template <typename Call>
  void children(const Test* composite, TestResult* result, Call all) {
    if (!in_test_process()) return;
    Test* const child = next(composite);
    if (child == nullptr) return all();
    if (m_shared && !is_repeated(composite)) return children_in_turn(composite, result);
    run_child(child, result);
  }

  // What a test case does, once parked.
  template <typename Call>
  void leaf(const Test* test_case, Call run) {
    if (in_test_process() && test_case == test()) inside_the_test(run);
  }

  // What main() does when its run is over is this program's tear-down.
  static void close() {
    const Run& run = instance();
    if (!run.m_parked) {
      std::fputs(
          "hearth: the program ended without a run of CppUnit's that Hearth could see. Hearth "
          "needs libcppunit as a "
          "shared library, not linked with -Bsymbolic-functions.\n",
          stderr);
    } else if (!run.in_test_process()) {
      zygote::closed(run.m_unserved);
    }
  }

 private:
  // Where no run has been seen yet, this is where the program parks.
  void enter(Test& root, TestResult& result) {
    if (m_parked) return note_unserved(root);
    m_parked = true;
    m_tests.collect(root);
    silence(result);
    const auto assignment = zygote::park(m_tests, {});
    if (assignment.task == zygote::Task::finish) return;
    m_shared = assignment.task == zygote::Task::run_shared;
    m_assignment = assignment;
    m_path = &m_tests[assignment.test].path;
    m_relay = new Relay(test(), !m_shared);
    result.addListener(m_relay);
  }

  void run_child(Test* child, TestResult* result) {
    if (child != test()) return child->run(result);
    inside_the_test([&] { child->run(result); });
  }

  // ---- a shared process ----

  // All tests that follow each other below the composite, which is on the way to the first.
  void children_in_turn(const Test* composite, TestResult* result) {
    while (is_on_the_way(composite)) {
      if (m_path == nullptr && !begin_next()) return;
      Test* const child = next(composite);
      if (child == nullptr) return;
      const auto* const path = m_path;
      run_child(child, result);
      if (m_ran) {
        conclude();
      } else if (m_path == path) {
        return;  // it cannot be reached
      }
    }
  }

  // To the test that runs, or the one that is to follow.
  bool is_on_the_way(const Test* composite) const {
    if (m_path != nullptr) return next(composite) != nullptr;
    if (m_assignment.task == zygote::Task::finish || m_assignment.next == zygote::Assignment::none)
      return false;
    const auto& path = m_tests[m_assignment.next].path;
    return std::find(path.begin(), path.end(), composite) != path.end();
  }

  // What repeats everything below it, and with it several tests, has one of them at a time below
  // it.
  bool is_repeated(const Test* composite) const {
    for (Test* const test : *m_path) {
      if (test == composite) return false;
      if (dynamic_cast<CPPUNIT_NS::RepeatedTest*>(test) != nullptr) return true;
    }
    return false;
  }

  bool begin_next() {
    m_assignment = zygote::next();
    if (m_assignment.task == zygote::Task::finish) return false;
    begin();
    return true;
  }

  void begin() {
    m_path = &m_tests[m_assignment.test].path;
    m_ran = false;
    m_relay->begin(test());
  }

  void conclude() {
    if (m_path == nullptr) return;
    m_path = nullptr;
    m_relay->conclude();
  }

  template <typename Call>
  [[noreturn]] void run_shared(Call call) {
    do {
      call();
      conclude();
    } while (m_assignment.task != zygote::Task::finish && begin_next());
    zygote::leave();
  }

  bool in_test_process() const { return m_path != nullptr; }
  Test* test() const { return m_path->back(); }

  // The one child of `composite` on the way to the test; nullptr: the composite is not on it.
  Test* next(const Test* composite) const {
    const auto here = std::find(m_path->begin(), m_path->end(), composite);
    return here == m_path->end() || here + 1 == m_path->end() ? nullptr : *(here + 1);
  }

  template <typename Call>
  void inside_the_test(Call call) {
    m_inside = true;
    m_ran = true;
    call();
    m_inside = false;
  }

  // The progress of one test is no part of its output.
  static void silence(TestResult& result) {
    for (CPPUNIT_NS::TestListener* const listener : Listeners::of(result)) {
      if (dynamic_cast<CPPUNIT_NS::TextTestProgressListener*>(listener) != nullptr ||
          dynamic_cast<CPPUNIT_NS::BriefTestProgressListener*>(listener) != nullptr) {
        result.removeListener(listener);
      }
    }
  }

  // A later run of the same program, whose tests nobody was told about.
  void note_unserved(Test& root) {
    KnownTests more;
    more.collect(root);
    for (std::size_t i = 0; i < more.count(); ++i) {
      if (m_tests.has(more[i].path.back())) continue;
      if (m_unserved.empty()) {
        m_unserved =
            "The program runs CppUnit more than once. Hearth serves the tests of the first run "
            "only: add all tests to one runner. Not served:\n";
      }
      m_unserved += more[i].name + '\n';
    }
  }

  bool m_parked = false;
  int m_depth = 0;
  bool m_inside = false;
  KnownTests m_tests;
  const std::vector<Test*>* m_path = nullptr;  // in a test's process
  Relay* m_relay = nullptr;
  bool m_shared = false;
  bool m_ran = false;  // the test that m_path leads to
  zygote::Assignment m_assignment{zygote::Task::finish, 0};
  std::string m_unserved;
};

// The library's own function. Every member function here is called like a plain one, with `this`
// first.
// It is looked for in the library itself, known by a function that nobody stands in front of: what
// comes next may be a shared library of the program's, with this adapter in it again.
inline void* find_in_library(const char* symbol) {
  const bool is_subunit = std::string(symbol).rfind("subunit_", 0) == 0;
  void* const known = dlsym(
      RTLD_DEFAULT, is_subunit ? "subunit_progress" : "_ZN7CppUnit9TestSuite7addTestEPNS_4TestE");
  Dl_info library{};
  if (known == nullptr || dladdr(known, &library) == 0) return nullptr;
  void* const handle = dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  void* const found = handle == nullptr ? nullptr : dlsym(handle, symbol);
  if (handle != nullptr) dlclose(handle);
  Dl_info where{};
  const bool is_theirs = found != nullptr && dladdr(found, &where) != 0 &&
                         std::string(where.dli_fname) == library.dli_fname;
  return is_theirs ? found : nullptr;
}

template <typename Function>
Function behind(const char* symbol) {
  void* const found = find_in_library(symbol);
  if (found == nullptr) {
    std::fprintf(stderr, "hearth: %s is not in a shared library; link libcppunit dynamically\n",
                 symbol);
    std::abort();
  }
  return reinterpret_cast<Function>(found);
}

using RunWithResult = void (*)(void*, TestResult*);
using RunTest = void (*)(TestResult*, Test*);
using Write = void (*)(void*);
using SayTest = void (*)(const char*);
using SayDetails = void (*)(const char*, const char*);

// What the functions in front of libsubunit's do. True: this call is one of the listener's, and
// done.
inline bool take(const char* kind, const char* name, const char* details) {
  if (Subunit::target() == nullptr) return false;
  *Subunit::target() += Subunit::event(kind, name, details);
  return true;
}

inline bool attach() {
  if (!zygote::served()) return false;
  if (!zygote::hello("CppUnit", CPPUNIT_VERSION, true, &Run::instance())) return false;
  std::atexit(&Run::close);
  return true;
}
inline const bool attached = attach();

}  // namespace cppunit
}  // namespace hearth

// ---- in front of libcppunit

HEARTH_IN_FRONT void CPPUNIT_NS::TestResult::runTest(Test* test) {
  static const auto library = hearth::cppunit::behind<hearth::cppunit::RunTest>(
      "_ZN7CppUnit10TestResult7runTestEPNS_4TestE");
  hearth::cppunit::Run::instance().around(*test, *this, [&] { library(this, test); });
}

HEARTH_IN_FRONT void CPPUNIT_NS::TestComposite::run(TestResult* result) {
  static const auto library = hearth::cppunit::behind<hearth::cppunit::RunWithResult>(
      "_ZN7CppUnit13TestComposite3runEPNS_10TestResultE");
  hearth::cppunit::Run::instance().around(*this, *result, [&] { library(this, result); });
}

HEARTH_IN_FRONT void CPPUNIT_NS::TestComposite::doRunChildTests(TestResult* result) {
  static const auto library = hearth::cppunit::behind<hearth::cppunit::RunWithResult>(
      "_ZN7CppUnit13TestComposite15doRunChildTestsEPNS_10TestResultE");
  auto& run = hearth::cppunit::Run::instance();
  if (run.passes()) return library(this, result);
  run.children(this, result, [&] { library(this, result); });
}

HEARTH_IN_FRONT void CPPUNIT_NS::TestCase::run(TestResult* result) {
  static const auto library = hearth::cppunit::behind<hearth::cppunit::RunWithResult>(
      "_ZN7CppUnit8TestCase3runEPNS_10TestResultE");
  auto& run = hearth::cppunit::Run::instance();
  if (run.passes()) return library(this, result);
  run.around(*this, *result, [&] { run.leaf(this, [&] { library(this, result); }); });
}

// What an outputter would write is the report of a process that ran no test.
HEARTH_IN_FRONT void CPPUNIT_NS::XmlOutputter::write() {
  static const auto library =
      hearth::cppunit::behind<hearth::cppunit::Write>("_ZN7CppUnit12XmlOutputter5writeEv");
  if (!hearth::zygote::served()) library(this);
}

HEARTH_IN_FRONT void CPPUNIT_NS::CompilerOutputter::write() {
  static const auto library =
      hearth::cppunit::behind<hearth::cppunit::Write>("_ZN7CppUnit17CompilerOutputter5writeEv");
  if (!hearth::zygote::served()) library(this);
}

HEARTH_IN_FRONT void CPPUNIT_NS::TextOutputter::write() {
  static const auto library =
      hearth::cppunit::behind<hearth::cppunit::Write>("_ZN7CppUnit13TextOutputter5writeEv");
  if (!hearth::zygote::served()) library(this);
}

// ---- in front of libsubunit

extern "C" {

HEARTH_IN_FRONT void subunit_test_start(const char* name) {
  if (hearth::cppunit::take("test", name, nullptr)) return;
  hearth::cppunit::behind<hearth::cppunit::SayTest>("subunit_test_start")(name);
}

HEARTH_IN_FRONT void subunit_test_pass(const char* name) {
  if (hearth::cppunit::take("success", name, nullptr)) return;
  hearth::cppunit::behind<hearth::cppunit::SayTest>("subunit_test_pass")(name);
}

HEARTH_IN_FRONT void subunit_test_fail(const char* name, const char* error) {
  if (hearth::cppunit::take("failure", name, error)) return;
  hearth::cppunit::behind<hearth::cppunit::SayDetails>("subunit_test_fail")(name, error);
}

HEARTH_IN_FRONT void subunit_test_error(const char* name, const char* error) {
  if (hearth::cppunit::take("error", name, error)) return;
  hearth::cppunit::behind<hearth::cppunit::SayDetails>("subunit_test_error")(name, error);
}

}  // extern "C"

#undef HEARTH_IN_FRONT
#pragma GCC visibility pop
#endif
#endif
