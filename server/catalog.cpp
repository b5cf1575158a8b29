#include "server/catalog.hpp"

#include "server/test_id.hpp"

namespace hearth::server {

void Catalog::add(std::string_view name, std::string_view suite, bool hidden, bool suite_process,
                  std::chrono::milliseconds time_limit) {
  CatalogTest test;
  const std::string id = make_test_id(m_program, name);
  test.id = id;
  for (int number = 2; m_by_id.contains(test.id); ++number)
    test.id = id + " #" + std::to_string(number);
  if (std::string_view(test.id).substr(m_program.size() + 1) != name) test.name = name;
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
  m_tests.push_back(std::move(test));
  m_by_id.emplace(m_tests.back().id, static_cast<std::uint32_t>(m_tests.size() - 1));
}

void Catalog::clear() {
  m_by_id.clear();
  m_tests.clear();
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
