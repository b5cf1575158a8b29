// The tests of one program, by id. Ids are unique: where a program has two tests of one name, the
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

struct CatalogTest {
  std::string id;
  std::string name;         // as the program calls it; empty: the id without the program's name
  std::uint32_t suite = 0;  // index in Catalog::suite_name
  bool hidden = false;
  bool suite_process = false;
  std::chrono::milliseconds time_limit{0};  // its own; 0: none
};

class Catalog {
 public:
  explicit Catalog(std::string program) : m_program(std::move(program)) {}

  void add(std::string_view name, std::string_view suite, bool hidden, bool suite_process,
           std::chrono::milliseconds time_limit = {});
  void clear();

  [[nodiscard]] std::size_t size() const { return m_tests.size(); }
  [[nodiscard]] const CatalogTest& operator[](std::uint32_t test) const { return m_tests[test]; }
  [[nodiscard]] std::string_view name_of(std::uint32_t test) const;
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view id) const;
  [[nodiscard]] const std::string& suite_name(std::uint32_t suite) const { return m_suites[suite]; }
  [[nodiscard]] std::size_t suite_count() const { return m_suites.size(); }

 private:
  std::string m_program;
  std::deque<CatalogTest> m_tests;  // a deque: the index's views into it stay
  std::unordered_map<std::string_view, std::uint32_t> m_by_id;
  std::deque<std::string> m_suites;
  std::unordered_map<std::string_view, std::uint32_t> m_suite_by_name;
};

}  // namespace hearth::server
