// Cuts text that arrives in pieces into lines. Memory: one line of at most 16 KiB; longer ones are
// cut into several.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace hearth::client {

class Lines {
 public:
  static constexpr std::size_t longest = std::size_t{16} * 1024;

  // `take(std::string_view)` gets each line that is whole, without its newline.
  template <typename Take>
  void add(std::string_view text, Take take) {
    m_rest.append(text);
    std::size_t start = 0;
    for (auto end = m_rest.find('\n'); end != m_rest.npos; end = m_rest.find('\n', start)) {
      take(std::string_view(m_rest).substr(start, end - start));
      start = end + 1;
    }
    m_rest.erase(0, start);
    if (m_rest.size() > longest) finish(take);
  }
  // What there is of a line.
  template <typename Take>
  void finish(Take take) {
    if (m_rest.empty()) return;
    const auto line = std::exchange(m_rest, {});
    take(std::string_view(line));
  }

 private:
  std::string m_rest;
};

}  // namespace hearth::client
