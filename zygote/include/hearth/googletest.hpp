// The GoogleTest adapter. The flags of the pkg-config module hearth-googletest include this file
// ahead of every source file; it can also be included by hand in one of a program's files. In a
// program started by hand it registers a listener that does nothing.
//
// How it works: RUN_ALL_TESTS() runs as ever. Its hook after global set-up (OnEnvironmentsSetUpEnd)
// is where the program parks. A test's child marks its test as the only one, returns from the hook,
// and GoogleTest runs it. A suite with a SetUpTestSuite gets a process of its own, which parks
// again at the end of that function, before any test's events: the adapter's own function stands in
// its place and calls it. A test's process ends when its test has (OnTestEnd).
//
// A shared process goes on instead: while tests of one suite follow each other they are appended to
// the suite's list, in OnTestEnd; the next suite is run from where the one before it has ended
// (OnTestSuiteEnd).
//
// Private members are reached through explicit template instantiation, which the language exempts
// from access checks; the members used are the same from GoogleTest 1.10 to 1.18. Compiled in the
// user's build, since the layout of GoogleTest's classes differs between its versions.
#pragma once

#if defined(__cplusplus) && __has_include(<gtest/gtest.h>)
#pragma GCC system_header

#include <gtest/gtest.h>
#include <hearth/zygote.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#ifdef GTEST_FLAG_GET  // from 1.12 on
#define HEARTH_FLAG_GET(name) GTEST_FLAG_GET(name)
#define HEARTH_FLAG_SET(name, value) GTEST_FLAG_SET(name, value)
#else
#define HEARTH_FLAG_GET(name) (::testing::GTEST_FLAG(name))
#define HEARTH_FLAG_SET(name, value) (::testing::GTEST_FLAG(name) = (value))
#endif

namespace hearth {
namespace googletest {

// ---- private members

template <typename Tag, typename Tag::Member member>
struct Reach {
  friend typename Tag::Member member_of(Tag) { return member; }
};

#define HEARTH_REACH(tag, owner, type, name) \
  struct tag {                               \
    using Owner = owner;                     \
    using Member = type Owner::*;            \
    friend Member member_of(tag);            \
  };                                         \
  template struct Reach<tag, &owner::name>;

HEARTH_REACH(TestShouldRun, ::testing::TestInfo, bool, should_run_)
HEARTH_REACH(TestMatchesFilter, ::testing::TestInfo, bool, matches_filter_)
HEARTH_REACH(TestIsDisabled, ::testing::TestInfo, bool, is_disabled_)
HEARTH_REACH(TestFactory, ::testing::TestInfo, ::testing::internal::TestFactoryBase* const,
             factory_)
HEARTH_REACH(SuiteShouldRun, ::testing::TestSuite, bool, should_run_)
HEARTH_REACH(SuiteTests, ::testing::TestSuite, std::vector<::testing::TestInfo*>, test_info_list_)
HEARTH_REACH(SuiteIndices, ::testing::TestSuite, std::vector<int>, test_indices_)
HEARTH_REACH(SuiteSetUp, ::testing::TestSuite, ::testing::internal::SetUpTestSuiteFunc, set_up_tc_)
HEARTH_REACH(SuiteTearDown, ::testing::TestSuite, ::testing::internal::TearDownTestSuiteFunc,
             tear_down_tc_)

struct SuiteRun {
  using Member = void (::testing::TestSuite::*)();
  friend Member member_of(SuiteRun);
};
template struct Reach<SuiteRun, &::testing::TestSuite::Run>;

struct SuiteClear {
  using Member = void (::testing::TestSuite::*)();
  friend Member member_of(SuiteClear);
};
template struct Reach<SuiteClear, &::testing::TestSuite::ClearResult>;

struct TestClear {
  using Member = void (*)(::testing::TestInfo*);
  friend Member member_of(TestClear);
};
template struct Reach<TestClear, &::testing::TestInfo::ClearTestResult>;

#undef HEARTH_REACH

template <typename Tag, typename Owner>
auto& reach(Tag tag, Owner& owner) {
  return owner.*member_of(tag);
}

// ---- the tests

inline ::testing::UnitTest& unit_test() {
  return *::testing::UnitTest::GetInstance();
}

// A member of the registry that is const to everybody but its owner.
template <typename T>
T& mutable_of(const T* constant) {
  return const_cast<T&>(*constant);
}

struct KnownTest {
  ::testing::TestSuite* suite;
  ::testing::TestInfo* info;
  std::string name;
  bool hidden;
};

inline bool has_set_up(::testing::TestSuite& suite) {
  return reach(SuiteSetUp{}, suite) != nullptr || reach(SuiteTearDown{}, suite) != nullptr;
}

class KnownTests final : public zygote::Tests {
 public:
  // Lists what the program's own flags select, and behind it, hidden, what they would if they also
  // asked for disabled tests; leaves every test and suite marked as not to be run.
  void collect(bool disabled_too) {
    for (int s = 0; s < unit_test().total_test_suite_count(); ++s) {
      auto& suite = mutable_of(unit_test().GetTestSuite(s));
      for (int t = 0; t < suite.total_test_count(); ++t) {
        auto& info = mutable_of(suite.GetTestInfo(t));
        const bool disabled = reach(TestIsDisabled{}, info);
        const bool runs = reach(TestShouldRun{}, info);
        if (runs || (disabled && reach(TestMatchesFilter{}, info))) {
          m_tests.push_back({&suite, &info, std::string(suite.name()) + '.' + info.name(),
                             disabled && !disabled_too});
        }
        reach(TestShouldRun{}, info) = false;
      }
      reach(SuiteShouldRun{}, suite) = false;
    }
  }

  std::size_t count() const override { return m_tests.size(); }
  zygote::TestDescription describe(std::size_t test) const override {
    const KnownTest& known = m_tests[test];
    zygote::TestDescription description;
    description.name = known.name;
    description.suite = known.suite->name();
    description.hidden = known.hidden;
    description.suite_process = has_set_up(*known.suite);
    description.file = known.info->file() == nullptr ? "" : known.info->file();
    description.line = known.info->line() > 0 ? static_cast<unsigned>(known.info->line()) : 0;
    return description;
  }
  const KnownTest& operator[](std::size_t test) const { return m_tests[test]; }
  bool has(const ::testing::TestInfo* info) const {
    for (const KnownTest& known : m_tests) {
      if (known.info == info) return true;
    }
    return false;
  }

 private:
  std::vector<KnownTest> m_tests;
};

// A list of the registry's own, which is of no more use. Freeing it would cost; it is not lost.
struct SetAside {
  std::vector<::testing::TestInfo*> tests;
  const SetAside* before;
};
inline void set_aside(std::vector<::testing::TestInfo*> tests) {
  static const SetAside* last = nullptr;
  last = new SetAside{std::move(tests), last};
}

// Cuts the suite down to the tests given, which run, behind its first, which GoogleTest looks at to
// see that all have the same fixture class. The framework's loops over what was cut would cost
// every child.
inline void only(::testing::TestSuite& suite, ::testing::TestInfo* first,
                 ::testing::TestInfo* test) {
  auto& tests = reach(SuiteTests{}, suite);
  std::vector<::testing::TestInfo*> kept{first};
  std::vector<int> indices{0};
  if (test != nullptr && test != first) {
    kept.push_back(test);
    indices.push_back(1);
  }
  tests.swap(kept);
  reach(SuiteIndices{}, suite).swap(indices);
  set_aside(std::move(kept));
}

// Puts the test behind the one that runs.
inline void append(::testing::TestSuite& suite, ::testing::TestInfo* test) {
  auto& tests = reach(SuiteTests{}, suite);
  reach(SuiteIndices{}, suite).push_back(static_cast<int>(tests.size()));
  tests.push_back(test);
}

// ---- what a test says

inline std::string text_of(const ::testing::TestPartResult& part) {
  std::string text;
  if (part.file_name() != nullptr) {
    text = std::string(part.file_name()) + ':' + std::to_string(part.line_number()) + ": ";
  }
  if (part.failed()) text += "Failure\n";
  const char* const message = part.message();
  if (message != nullptr) text += message;
  return text + '\n';
}

// The texts of a result's failures or skips, one after the other, from its part `first` on.
inline std::string texts_of(const ::testing::TestResult& result, bool skips, int first = 0) {
  std::string texts;
  for (int i = first; i < result.total_part_count(); ++i) {
    const auto& part = result.GetTestPartResult(i);
    if (skips ? part.skipped() : part.failed()) texts += text_of(part);
  }
  return texts;
}

inline zygote::Outcome report(const ::testing::TestResult& result,
                              const ::testing::TestResult& suite_result) {
  for (int i = 0; i < result.test_property_count(); ++i) {
    const auto& property = result.GetTestProperty(i);
    zygote::report::property(property.key(), property.value());
  }
  if (result.Failed() || suite_result.Failed()) return zygote::Outcome::fail;
  return result.Skipped() ? zygote::Outcome::skip : zygote::Outcome::success;
}

// ---- the run

class Nothing final : public ::testing::Test {
  void TestBody() override {}
};

class Adapter;

// Stands in for the factory of a suite's first test, in the suite's process, after a set-up that
// failed or skipped: whether GoogleTest runs the tests all the same depends on its version.
class ParkingFactory final : public ::testing::internal::TestFactoryBase {
 public:
  explicit ParkingFactory(Adapter& adapter) : m_adapter(adapter) {}
  ::testing::Test* CreateTest() override;

 private:
  Adapter& m_adapter;
};

// Takes the place behind the adapter in the list of listeners, so that removing the result printer
// while the list is being gone through passes over this one and no other.
class Spare final : public ::testing::EmptyTestEventListener {};

class Adapter final : public ::testing::EmptyTestEventListener {
 public:
  // The report files of --gtest_output would be those of a process that ran nothing.
  void OnTestProgramStart(const ::testing::UnitTest&) override {
    m_disabled_too = HEARTH_FLAG_GET(also_run_disabled_tests);
    HEARTH_FLAG_SET(repeat, 1);
    auto& listeners = unit_test().listeners();
    delete listeners.Release(listeners.default_xml_generator());
    delete listeners.Release(listeners.default_result_printer());
  }

  // Where no test is selected GoogleTest runs neither set-up nor suites. Hidden tests can be asked
  // for still.
  void OnTestIterationStart(const ::testing::UnitTest& all, int) override {
    if (all.test_to_run_count() != 0 || m_finishing) return;
    if (::testing::TestSuite* const suite = park()) run(*suite);
  }
  void OnEnvironmentsSetUpEnd(const ::testing::UnitTest&) override {
    if (m_finishing) {
      leave_out_unserved();
    } else {
      park();
    }
  }

  // As they come, so that a crash does not take them along.
  void OnTestPartResult(const ::testing::TestPartResult& part) override {
    if (m_test == nullptr) return;
    if (part.failed()) zygote::report::text("traceback", text_of(part));
    if (part.skipped() && !m_suite_failed) zygote::report::text("reason", text_of(part));
  }

  // Its suite's set-up is over. Where that failed, this is all that happens to the test.
  void OnTestStart(const ::testing::TestInfo&) override {
    if (!m_shared || m_test == nullptr) return;
    const auto& so_far = m_suite_of_test->ad_hoc_test_result();
    m_suite_failed = so_far.Failed();
    if (m_set_up_seen) {
      const std::string failure = texts_of(so_far, false);
      const std::string skip = texts_of(so_far, true);
      if (!failure.empty()) zygote::report::text("traceback", failure);
      if (!skip.empty() && !m_suite_failed) zygote::report::text("reason", skip);
    }
    m_set_up_seen = true;
    m_set_up_parts = so_far.total_part_count();
  }

  void OnTestEnd(const ::testing::TestInfo& info) override {
    if (m_test == nullptr) return;
    if (!zygote::report::own_process()) std::_Exit(0);
    if (&info != m_test) return;
    const zygote::Outcome outcome = report(*info.result(), m_suite_of_test->ad_hoc_test_result());
    if (!m_shared && m_tears_down) {
      m_outcome = outcome;
      m_set_up_parts = m_suite_of_test->ad_hoc_test_result().total_part_count();
      return;
    }
    if (!m_shared) zygote::report::finish(outcome);
    conclude(outcome);
    const bool stays = m_assignment.next != zygote::Assignment::none &&
                       m_tests[m_assignment.next].suite == m_suite_of_test;
    if (!stays) return;
    take_next();
    if (goes_on_in(m_suite_of_test)) append(*m_suite_of_test, begin());
  }

  void OnTestSuiteEnd(const ::testing::TestSuite& suite) override {
    if (m_shared) return group_ended(suite);
    if (m_tears_down && m_suite_of_test == &suite) finish_after_tear_down(suite);
    if (m_suite != &suite || m_test != nullptr) return;
    const int set_up_parts = m_suite_parked ? m_set_up_parts : suite_parts();
    if (!m_suite_parked) zygote::park_suite(m_tests, suite_set_up());
    zygote::leave(texts_of(suite.ad_hoc_test_result(), false, set_up_parts));
  }

  void OnTestProgramEnd(const ::testing::UnitTest& all) override {
    if (m_finishing) zygote::closed(texts_of(all.ad_hoc_test_result(), false) + m_unserved);
  }

  // In a suite's process, in place of the making of its first fixture object.
  ::testing::Test* make_first() {
    const KnownTest* const known = park_in_suite();
    if (known == nullptr) return new Nothing;
    only(*known->suite, m_first, known->info);
    if (known->info == m_first) return m_first_factory->CreateTest();
    reach(TestShouldRun{}, *known->info) = true;
    return new Nothing;
  }

 private:
  // Returns the suite that this process is to run; nullptr: none.
  ::testing::TestSuite* park() {
    m_tests.collect(m_disabled_too);
    const auto& so_far = unit_test().ad_hoc_test_result();
    const std::string failure = texts_of(so_far, false);
    const std::string skip = texts_of(so_far, true);
    zygote::SetUp set_up;
    set_up.failed = ::testing::Test::HasFatalFailure();
    set_up.skipped = !set_up.failed && ::testing::Test::IsSkipped();
    set_up.text = set_up.failed ? failure : skip;
    const auto assignment = zygote::park(m_tests, set_up);
    if (assignment.task == zygote::Task::finish) {
      m_finishing = true;
      return nullptr;
    }
    const KnownTest& known = m_tests[assignment.test];
    reach(SuiteShouldRun{}, *known.suite) = true;
    if (assignment.task == zygote::Task::run_test) {
      m_tears_down = assignment.alone && has_set_up(*known.suite);
      run_only(known);
    } else if (assignment.task == zygote::Task::run_shared) {
      m_shared = true;
      m_assignment = assignment;
      begin_group();
    } else {
      set_up_only(known);
    }
    return known.suite;
  }

  void run_only(const KnownTest& known) {
    m_test = known.info;
    m_suite_of_test = known.suite;
    reach(TestShouldRun{}, *known.info) = true;
    only(*known.suite, reach(SuiteTests{}, *known.suite).front(), known.info);
  }

  // No test is to run in it, until it has parked and is a test's process.
  void set_up_only(const KnownTest& known) {
    m_suite = known.suite;
    m_first = reach(SuiteTests{}, *known.suite).front();
    in_suite_process() = this;
    auto& set_up =
        const_cast<::testing::internal::SetUpTestSuiteFunc&>(reach(SuiteSetUp{}, *known.suite));
    m_suite_set_up = set_up;
    set_up = [] { in_suite_process()->set_up_suite(); };
    only(*known.suite, m_first, nullptr);
  }

  static Adapter*& in_suite_process() {
    static Adapter* adapter = nullptr;
    return adapter;
  }

  // In the place of SetUpTestSuite, in the suite's process. An exception passes through.
  void set_up_suite() {
    prepare_first_test(true);
    if (m_suite_set_up != nullptr) m_suite_set_up();
    const zygote::SetUp set_up = suite_set_up();
    if (set_up.failed || set_up.skipped) return;
    prepare_first_test(false);
    const KnownTest* const known = park_in_suite();
    if (known == nullptr) return;
    only(*known->suite, m_first, known->info);
    reach(TestShouldRun{}, *known->info) = true;
  }

  // If GoogleTest comes to the first test without having parked, it parks there.
  void prepare_first_test(bool parks) {
    using Factory = ::testing::internal::TestFactoryBase*;
    if (m_first_factory == nullptr) m_first_factory = reach(TestFactory{}, *m_first);
    if (m_parking_factory == nullptr) m_parking_factory.reset(new ParkingFactory(*this));
    const_cast<Factory&>(reach(TestFactory{}, *m_first)) =
        parks ? m_parking_factory.get() : m_first_factory;
    reach(TestShouldRun{}, *m_first) = parks;
  }

  // The test that this process is to run; nullptr: none.
  const KnownTest* park_in_suite() {
    m_suite_parked = true;
    m_set_up_parts = suite_parts();
    const auto assignment = zygote::park_suite(m_tests, {});
    if (assignment.task != zygote::Task::run_test) return nullptr;
    const KnownTest& known = m_tests[assignment.test];
    m_test = known.info;
    m_suite_of_test = known.suite;
    return &known;
  }

  int suite_parts() const { return m_suite->ad_hoc_test_result().total_part_count(); }

  // Its texts stay until the next call.
  zygote::SetUp suite_set_up() {
    const auto& so_far = m_suite->ad_hoc_test_result();
    const std::string skip = texts_of(so_far, true);
    zygote::SetUp set_up;
    set_up.failed = so_far.Failed();
    set_up.skipped = !set_up.failed && !skip.empty();
    m_set_up_text = set_up.skipped ? skip : texts_of(so_far, false);
    set_up.text = m_set_up_text;
    return set_up;
  }

  // RUN_ALL_TESTS() again, in a process that only tears down.
  void leave_out_unserved() {
    KnownTests more;
    more.collect(m_disabled_too);
    for (std::size_t i = 0; i < more.count(); ++i) {
      if (m_tests.has(more[i].info)) continue;
      if (m_unserved.empty()) {
        m_unserved =
            "The program calls RUN_ALL_TESTS() more than once, and selects other tests then. "
            "Hearth serves those of the first call only. Not served:\n";
      }
      m_unserved += more[i].name + '\n';
    }
  }

  // In a program started for one test: what its suite has set up is this process's to tear down.
  [[noreturn]] void finish_after_tear_down(const ::testing::TestSuite& suite) {
    if (!zygote::report::own_process()) std::_Exit(0);
    const std::string failure = texts_of(suite.ad_hoc_test_result(), false, m_set_up_parts);
    if (!failure.empty()) {
      zygote::report::text("traceback", "The suite's tear-down failed:\n" + failure);
      m_outcome = zygote::Outcome::fail;
    }
    zygote::report::finish(m_outcome);
  }

  static void run(::testing::TestSuite& suite) { (suite.*member_of(SuiteRun{}))(); }

  // ---- a shared process ----

  // Is the assignment that is there, and has not begun, a test of the suite?
  bool goes_on_in(const ::testing::TestSuite* suite) const {
    return m_assigned && m_assignment.task != zygote::Task::finish &&
           m_tests[m_assignment.test].suite == suite;
  }

  void take_next() {
    if (!m_assigned) m_assignment = zygote::next();
    m_assigned = true;
  }

  // Of the assignment. What ran before, also the same test, has left no result.
  ::testing::TestInfo* begin() {
    const KnownTest& known = m_tests[m_assignment.test];
    m_assigned = false;
    m_test = known.info;
    m_suite_of_test = known.suite;
    member_of(TestClear{})(m_test);
    reach(TestShouldRun{}, *m_test) = true;
    return m_test;
  }

  // Makes of the assignment's suite one that has this test only.
  ::testing::TestSuite& begin_group() {
    auto& suite = *m_tests[m_assignment.test].suite;
    (suite.*member_of(SuiteClear{}))();
    m_suite_failed = false;
    m_set_up_seen = false;
    m_set_up_parts = 0;
    begin();
    only(suite, reach(SuiteTests{}, suite).front(), m_test);
    reach(SuiteShouldRun{}, suite) = true;
    return suite;
  }

  void conclude(zygote::Outcome outcome) {
    zygote::report::conclude(outcome);
    reach(TestShouldRun{}, *m_test) = false;
    m_test = nullptr;
  }

  // The first suite's end is where all others are run from.
  void group_ended(const ::testing::TestSuite& suite) {
    if (!zygote::report::own_process()) std::_Exit(0);
    if (m_test != nullptr) conclude(zygote::Outcome::unknown);  // it has not been run
    const std::string failure = texts_of(suite.ad_hoc_test_result(), false, m_set_up_parts);
    if (!failure.empty()) zygote::suite_closed(failure);
    reach(SuiteShouldRun{}, mutable_of(&suite)) = false;
    if (m_in_group) return;
    m_in_group = true;
    for (take_next(); m_assignment.task != zygote::Task::finish; take_next()) run(begin_group());
    zygote::leave();
  }

  bool m_shared = false;
  bool m_in_group = false;
  bool m_assigned = false;  // m_assignment has not begun
  zygote::Assignment m_assignment{zygote::Task::finish, 0};
  bool m_suite_failed = false;
  bool m_set_up_seen = false;  // a test of the group has it in its report
  int m_set_up_parts = 0;

  KnownTests m_tests;
  bool m_disabled_too = false;
  bool m_tears_down = false;  // the test's process: its suite's tear-down too
  zygote::Outcome m_outcome = zygote::Outcome::unknown;
  bool m_finishing = false;
  bool m_suite_parked = false;
  ::testing::TestInfo* m_test = nullptr;  // in a test's process
  ::testing::TestSuite* m_suite_of_test = nullptr;
  ::testing::TestSuite* m_suite = nullptr;  // in a suite's process
  ::testing::TestInfo* m_first = nullptr;
  ::testing::internal::SetUpTestSuiteFunc m_suite_set_up = nullptr;
  ::testing::internal::TestFactoryBase* m_first_factory = nullptr;
  std::unique_ptr<ParkingFactory> m_parking_factory;
  std::string m_set_up_text;
  std::string m_unserved;  // tests that only a later RUN_ALL_TESTS() selects
};

inline ::testing::Test* ParkingFactory::CreateTest() {
  return m_adapter.make_first();
}

inline std::string version() {
#ifdef HEARTH_GOOGLETEST_VERSION
  return HEARTH_GOOGLETEST_VERSION;
#else
  return "";
#endif
}

// Once per program, however many of its files include this. A death test that starts the program
// anew starts one that no server did: the channel is not handed on.
inline bool attach() {
  if (!zygote::served()) return false;
  if (!zygote::hello("GoogleTest", version(), true, &unit_test())) return false;
  auto& listeners = unit_test().listeners();
  listeners.Append(new Adapter);
  listeners.Append(new Spare);
  return true;
}
inline const bool attached = attach();

}  // namespace googletest
}  // namespace hearth

#undef HEARTH_FLAG_GET
#undef HEARTH_FLAG_SET

#endif  // __cplusplus
