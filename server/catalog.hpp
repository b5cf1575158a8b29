// The tests of one program, by id, and after them its checks: what can be asked for like a test and
// is none, and is never listed unasked. Ids are unique: if a program has two tests of one name, the
// later gets " #2". Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hearth::server {

enum class TestKind : std::uint8_t {
  test,
  load,             // `<program>.load`: it loads, or there would be no catalog
  suite_tear_down,  // `<program>.<suite>.teardown`
  exit,             // `<program>.exit`: tear-down, what main does next, exit handlers, exit status
};

struct CatalogTest {
  std::string id;
  std::string name;         // as the program calls it; empty: the id without the program's name
  std::uint32_t suite = 0;  // index in Catalog::suite_name
  bool hidden = false;
  bool suite_process = false;
  std::chrono::milliseconds time_limit{0};  // its own; 0: none
  TestKind kind = TestKind::test;
};

class Catalog {
 public:
  explicit Catalog(std::string program) : m_program(std::move(program)) {}

  void add(std::string_view name, std::string_view suite, bool hidden, bool suite_process,
           std::chrono::milliseconds time_limit = {});
  // Once all tests are known.
  void add_checks();
  void clear();

  // Tests and checks.
  [[nodiscard]] std::size_t size() const { return m_tests.size(); }
  [[nodiscard]] std::size_t test_count() const { return m_test_count; }
  [[nodiscard]] const CatalogTest& operator[](std::uint32_t test) const { return m_tests[test]; }
  [[nodiscard]] std::string_view name_of(std::uint32_t test) const;
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view id) const;
  [[nodiscard]] const std::string& suite_name(std::uint32_t suite) const { return m_suites[suite]; }
  [[nodiscard]] std::size_t suite_count() const { return m_suites.size(); }
  // A test of the suite, if it has a process of its own.
  [[nodiscard]] std::optional<std::uint32_t> first_in(std::uint32_t suite) const;
  // The id under which the suite's tear-down is reported.
  [[nodiscard]] std::string tear_down_id(std::uint32_t suite) const;
  [[nodiscard]] std::optional<std::uint32_t> exit_check() const { return m_exit; }

 private:
  void add_check(TestKind kind, const std::string& name, std::uint32_t suite);
  void add(CatalogTest test, const std::string& id);

  std::string m_program;
  std::size_t m_test_count = 0;
  std::optional<std::uint32_t> m_exit;
  std::unordered_map<std::uint32_t, std::uint32_t> m_first_in;   // of suites with a process
  std::unordered_map<std::uint32_t, std::uint32_t> m_tear_down;  // their checks
  std::deque<CatalogTest> m_tests;  // a deque: the index's views into it stay
  std::unordered_map<std::string_view, std::uint32_t> m_by_id;
  std::deque<std::string> m_suites;
  std::unordered_map<std::string_view, std::uint32_t> m_suite_by_name;
};

}  // namespace hearth::server
