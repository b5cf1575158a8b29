#include "server/catalog.hpp"

#include "server/test_id.hpp"

namespace hearth::server {

void Catalog::add(std::string_view name, std::string_view suite, bool hidden, bool suite_process,
                  std::chrono::milliseconds time_limit) {
  CatalogTest test;
  test.name = name;
  test.hidden = hidden;
  test.suite_process = suite_process;
  test.time_limit = time_limit;
  auto known = m_suite_by_name.find(suite);
  if (known == m_suite_by_name.end()) {
    m_suites.emplace_back(suite);
    known =
        m_suite_by_name.emplace(m_suites.back(), static_cast<std::uint32_t>(m_suites.size() - 1))
            .first;
  }
  test.suite = known->second;
  if (suite_process) m_first_in.emplace(test.suite, static_cast<std::uint32_t>(m_tests.size()));
  ++m_test_count;
  add(std::move(test), make_test_id(m_program, name));
}

void Catalog::add(CatalogTest test, const std::string& id) {
  test.id = id;
  for (int number = 2; m_by_id.contains(test.id); ++number)
    test.id = id + " #" + std::to_string(number);
  if (std::string_view(test.id).substr(m_program.size() + 1) == test.name) test.name.clear();
  m_tests.push_back(std::move(test));
  m_by_id.emplace(m_tests.back().id, static_cast<std::uint32_t>(m_tests.size() - 1));
}

void Catalog::add_checks() {
  add_check(TestKind::load, "load", 0);
  for (std::uint32_t suite = 0; suite < m_suites.size(); ++suite) {
    if (!m_first_in.contains(suite)) continue;
    const std::string& name = m_suites[suite];
    m_tear_down.emplace(suite, static_cast<std::uint32_t>(m_tests.size()));
    add_check(TestKind::suite_tear_down, name.empty() ? "teardown" : name + ".teardown", suite);
  }
  m_exit = static_cast<std::uint32_t>(m_tests.size());
  add_check(TestKind::exit, "exit", 0);
}

void Catalog::add_check(TestKind kind, const std::string& name, std::uint32_t suite) {
  CatalogTest check;
  check.name = name;
  check.suite = suite;
  check.hidden = true;
  check.suite_process = kind == TestKind::suite_tear_down;
  check.kind = kind;
  add(std::move(check), make_test_id(m_program, name));
}

std::optional<std::uint32_t> Catalog::first_in(std::uint32_t suite) const {
  const auto found = m_first_in.find(suite);
  if (found == m_first_in.end()) return std::nullopt;
  return found->second;
}

std::string Catalog::tear_down_id(std::uint32_t suite) const {
  if (const auto check = m_tear_down.find(suite); check != m_tear_down.end())
    return m_tests[check->second].id;
  const std::string& name = m_suites[suite];
  const std::string id = make_test_id(m_program, name.empty() ? "teardown" : name + ".teardown");
  std::string unique = id;
  for (int number = 2; m_by_id.contains(unique); ++number)
    unique = id + " #" + std::to_string(number);
  return unique;
}

void Catalog::clear() {
  m_by_id.clear();
  m_tests.clear();
  m_test_count = 0;
  m_exit.reset();
  m_first_in.clear();
  m_tear_down.clear();
  m_suite_by_name.clear();
  m_suites.clear();
}

std::string_view Catalog::name_of(std::uint32_t test) const {
  const CatalogTest& known = m_tests[test];
  return known.name.empty() ? std::string_view(known.id).substr(m_program.size() + 1)
                            : std::string_view(known.name);
}

std::optional<std::uint32_t> Catalog::find(std::string_view id) const {
  const auto found = m_by_id.find(id);
  if (found == m_by_id.end()) return std::nullopt;
  return found->second;
}

}  // namespace hearth::server
