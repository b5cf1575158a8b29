// The most recently used values, up to a number of them, and a file of settings: what tests set up
// and tear down.
#pragma once

#include <fstream>
#include <list>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

class Cache {
 public:
  explicit Cache(std::size_t capacity) : m_capacity(capacity) {
    if (capacity == 0) throw std::invalid_argument("a cache of nothing");
  }
  void put(const std::string& key, int value) {
    erase(key);
    m_entries.emplace_front(key, value);
    m_index[key] = m_entries.begin();
    if (m_entries.size() <= m_capacity) return;
    m_index.erase(m_entries.back().first);
    m_entries.pop_back();
  }
  const int* get(const std::string& key) {
    const auto found = m_index.find(key);
    if (found == m_index.end()) return nullptr;
    m_entries.splice(m_entries.begin(), m_entries, found->second);
    return &found->second->second;
  }
  void erase(const std::string& key) {
    const auto found = m_index.find(key);
    if (found == m_index.end()) return;
    m_entries.erase(found->second);
    m_index.erase(found);
  }
  std::size_t size() const { return m_entries.size(); }

 private:
  std::size_t m_capacity;
  std::list<std::pair<std::string, int>> m_entries;
  std::map<std::string, std::list<std::pair<std::string, int>>::iterator> m_index;
};

class Settings {
 public:
  explicit Settings(std::string path) : m_path(std::move(path)) {}
  std::string read(const std::string& key) const {
    std::ifstream file(m_path);
    for (std::string line; std::getline(file, line);) {
      if (line.compare(0, key.size() + 1, key + '=') == 0) return line.substr(key.size() + 1);
    }
    throw std::out_of_range("no setting: " + key);
  }
  void add(const std::string& key, const std::string& value) const {
    std::ofstream(m_path, std::ios::app) << key << '=' << value << '\n';
  }

 private:
  std::string m_path;
};
