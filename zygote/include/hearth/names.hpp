// Tells tests of equal names apart, for the adapters of frameworks that allow them: by the base
// names of their files where those differ, then by a number in the order given. A name that is the
// only one of its kind stays as it is, also where another test's number would have made the same.
#pragma once
#pragma GCC system_header

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace hearth {
namespace zygote {

struct NamedTest {
  std::string name;
  std::string file;  // may be empty
};

// White space at the ends would be lost in lists of ids, one to a line.
inline std::string trimmed(const std::string& name) {
  const char* const space = " \t\r\n\v\f";
  const std::size_t first = name.find_first_not_of(space);
  if (first == std::string::npos) return "unnamed";
  return name.substr(first, name.find_last_not_of(space) - first + 1);
}

class UniqueNames {
 public:
  // The names of all tests, in their order.
  static std::vector<std::string> of(const std::vector<NamedTest>& tests) {
    UniqueNames names;
    for (const NamedTest& test : tests) names.m_files[test.name].insert(base_name(test.file));
    std::vector<std::string> result;
    for (const NamedTest& test : tests) result.push_back(names.with_file(test));
    names.number(result);
    return result;
  }

 private:
  static std::string base_name(const std::string& file) { return file.substr(file.rfind('/') + 1); }

  std::string with_file(const NamedTest& test) const {
    if (m_files.at(test.name).size() < 2) return test.name;
    return test.name + " (" + base_name(test.file) + ')';
  }

  static void number(std::vector<std::string>& names) {
    std::map<std::string, std::size_t> seen;
    const std::set<std::string> taken(names.begin(), names.end());
    std::set<std::string> made;
    for (std::string& name : names) {
      std::size_t& ordinal = seen[name];
      if (++ordinal == 1) continue;
      std::string numbered = name + " #" + std::to_string(ordinal);
      while (taken.count(numbered) != 0 || !made.insert(numbered).second) {
        numbered = name + " #" + std::to_string(++ordinal);
      }
      name = numbered;
    }
  }

  std::map<std::string, std::set<std::string>> m_files;  // of each name
};

}  // namespace zygote
}  // namespace hearth
