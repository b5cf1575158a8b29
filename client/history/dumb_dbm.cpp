// Python's dbm.dumb: `.dat` holds the values, `.dir` a line of Python for each key, in Latin-1:
//
//   'key', (position, size)
//
// Both are replaced whole. A reader that comes between finds no `.dir` (an empty database, for
// Python) rather than one that does not fit its `.dat`; a writer that was killed there is completed
// by the next. Python begins values at multiples of 512 bytes, so that they can grow in place; 32
// are as good for a number and make the file of 100,000 tests 3 MB instead of 51.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <functional>

#include "client/history/files.hpp"
#include "client/history/times_file.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t slot = 32;

struct Cursor {
  std::string_view text;

  bool take(std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
  }
  bool number(std::size_t& value, int base = 10) {
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return fault == std::errc();
  }
};

// What follows a backslash in a Python string that repr() has made.
bool take_escape(Cursor& in, std::string& out) {
  if (in.text.empty()) return false;
  const char kind = in.text.front();
  in.text.remove_prefix(1);
  switch (kind) {
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case 't':
      out += '\t';
      return true;
    case '\\':
    case '\'':
    case '"':
      out += kind;
      return true;
    case 'x': {
      unsigned value = 0;
      if (in.text.size() < 2) return false;
      const auto [end, fault] = std::from_chars(in.text.data(), in.text.data() + 2, value, 16);
      if (fault != std::errc() || end != in.text.data() + 2) return false;
      in.text.remove_prefix(2);
      out += static_cast<char>(value);
      return true;
    }
    default:
      return false;
  }
}

bool take_string(Cursor& in, std::string& out) {
  if (in.text.empty()) return false;
  const char quote = in.text.front();
  if (quote != '\'' && quote != '"') return false;
  in.text.remove_prefix(1);
  const std::array<char, 3> special{quote, '\\', '\0'};
  for (;;) {
    const auto plain = in.text.find_first_of(special.data());
    if (plain == std::string_view::npos) return false;
    out.append(in.text.substr(0, plain));
    const char found = in.text[plain];
    in.text.remove_prefix(plain + 1);
    if (found == quote) return true;
    if (!take_escape(in, out)) return false;
  }
}

struct Entry {
  std::string key;
  std::size_t position = 0;
  std::size_t size = 0;
};

std::optional<Entry> parse_line(std::string_view line) {
  Cursor in{line};
  Entry entry;
  if (take_string(in, entry.key) && in.take(", (") && in.number(entry.position) && in.take(", ") &&
      in.number(entry.size) && in.take(")"))
    return entry;
  return std::nullopt;
}

// As repr() writes a string of bytes that are taken for Latin-1.
void append_key(std::string& out, std::string_view key) {
  const bool double_quoted =
      key.find('\'') != std::string_view::npos && key.find('"') == std::string_view::npos;
  const char quote = double_quoted ? '"' : '\'';
  out += quote;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += {'\\', c};
    } else if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      std::array<char, 5> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      out += escaped.data();
    }
  }
  out += quote;
}

Error corrupt(const std::string& path, std::size_t line) {
  return {"read the durations in " + path + ".dir", "line " + std::to_string(line) + " is damaged",
          "remove " + path + ".dir and " + path + ".dat; they are made anew"};
}

// A writer was killed after it had removed `.dir`.
void complete_replacement(const std::string& path) {
  const std::string dir = path + ".dir";
  if (exists(dir) || !exists(dir + ".new")) return;
  if (exists(path + ".dat.new")) rename((path + ".dat.new").c_str(), (path + ".dat").c_str());
  rename((dir + ".new").c_str(), dir.c_str());
}

Expected<void> put_in_place(const std::string& path) {
  const std::string dir = path + ".dir";
  const std::string dat = path + ".dat";
  const bool removed = unlink(dir.c_str()) == 0 || errno == ENOENT;
  if (removed && rename((dat + ".new").c_str(), dat.c_str()) == 0 &&
      rename((dir + ".new").c_str(), dir.c_str()) == 0)
    return {};
  return tl::unexpected(system_error("write " + dir, errno));
}

// Hands over what is there, entry by entry.
Expected<void> read_entries(const std::string& path,
                            const std::function<void(std::string&&, nanoseconds)>& sink) {
  const bool half_replaced = !exists(path + ".dir") && exists(path + ".dir.new");
  const std::string suffix = half_replaced ? ".new" : "";
  const bool data_moved = half_replaced && !exists(path + ".dat.new");
  if (!exists(path + ".dir" + suffix)) return {};
  const auto index = read_file(path + ".dir" + suffix);
  if (!index) return tl::unexpected(index.error());
  const auto values = read_file(path + ".dat" + (data_moved ? "" : suffix));
  if (!values) return tl::unexpected(values.error());
  std::size_t number = 0;
  for (std::string_view rest = *index; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    ++number;
    auto entry = parse_line(line);
    if (!entry || entry->position > values->size()) return tl::unexpected(corrupt(path, number));
    const auto value = std::string_view(*values).substr(entry->position, entry->size);
    if (const auto duration = duration_from_python(value)) sink(std::move(entry->key), *duration);
  }
  return {};
}

class Writer {
 public:
  void add(std::string_view key, nanoseconds duration) {
    const auto value = duration_to_python(duration);
    append_key(m_index, key);
    m_index +=
        ", (" + std::to_string(m_values.size()) + ", " + std::to_string(value.size()) + ")\n";
    m_values += value;
    m_values.append(slot - value.size() % slot, '\0');
  }
  Expected<void> put(const std::string& path) const {
    if (const auto written = replace_file(path + ".dat.new", m_values); !written) return written;
    if (const auto written = replace_file(path + ".dir.new", m_index); !written) return written;
    return put_in_place(path);
  }

 private:
  std::string m_index;
  std::string m_values;
};

}  // namespace

Expected<Durations> read_dumb(const std::string& path) {
  Durations durations;
  const auto read = read_entries(path, [&](std::string&& key, nanoseconds duration) {
    durations.insert_or_assign(std::move(key), duration);
  });
  if (!read) return tl::unexpected(read.error());
  return durations;
}

Expected<void> update_dumb(const std::string& path, const Durations& durations) {
  complete_replacement(path);
  Writer writer;
  const auto read = read_entries(path, [&](std::string&& key, nanoseconds duration) {
    if (!durations.contains(key)) writer.add(key, duration);
  });
  if (!read) return read;
  for (const auto& [id, duration] : durations) writer.add(id, duration);
  return writer.put(path);
}

}  // namespace hearth::client
