#include "server/program_spec.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "protocol/utf8.hpp"

namespace hearth::server {
namespace fs = std::filesystem;
namespace {

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("_.+-").find(c) != std::string_view::npos;
}

// The NAME of NAME=PATH; empty where there is none.
std::string_view explicit_name(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos || equals == 0) return {};
  const std::string_view name = argument.substr(0, equals);
  const bool is_name = std::all_of(name.begin(), name.end(), is_name_character) &&
                       protocol::scan_utf8(name).valid == name.size();
  return is_name ? name : std::string_view{};
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_directory(path, ignored);
}

// As a shell finds a command, but a file of that name right here comes first.
std::optional<fs::path> find_program(const std::string& word) {
  if (is_file(word)) return fs::absolute(word);
  const char* const variable = std::getenv("PATH");
  if (word.find('/') != std::string::npos || variable == nullptr) return std::nullopt;
  std::string_view folders = variable;
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    const fs::path candidate = fs::path(folders.substr(0, end)) / word;
    if (is_file(candidate)) return fs::absolute(candidate);
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return std::nullopt;
}

std::string default_name(const fs::path& path) {
  std::string name = path.filename().string();
  const bool is_text = protocol::scan_utf8(name).valid == name.size();
  std::replace_if(
      name.begin(), name.end(),
      [&](char c) {
        return !is_name_character(c) || (!is_text && static_cast<unsigned char>(c) >= 0x80);
      },
      '_');
  return name;
}

// Tests of both could have one id: `a` with `b.c` and `a.b` with `c`.
bool share_ids(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) && (a.size() == b.size() || b[a.size()] == '.');
}

}  // namespace

Expected<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == '\'' ? c != '\'' : c == '\\' && i + 1 < line.size()) {
      word += quote == '\'' ? c : line[++i];
      in_word = true;
    } else if (quote != '\0' ? c == quote : c == '\'' || c == '"') {
      quote = quote != '\0' ? '\0' : c;
      in_word = true;
    } else if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') {
    return tl::unexpected(Error{"read the command line '" + std::string(line) + "'",
                                std::string("the quote ") + quote + " is not closed", "close it"});
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

Expected<ProgramSpec> parse_program(std::string_view argument) {
  ProgramSpec spec;
  std::string_view command = argument;
  if (!is_file(fs::path(argument))) {
    spec.name = explicit_name(argument);
    if (!spec.name.empty()) command.remove_prefix(spec.name.size() + 1);
  }
  std::vector<std::string> words{std::string(command)};
  if (!is_file(words.front())) {
    auto split = split_words(command);
    if (!split) return tl::unexpected(split.error());
    words = std::move(*split);
  }
  if (words.empty()) {
    return tl::unexpected(Error{"serve the program '" + std::string(argument) + "'",
                                "it names no file",
                                "give a path, NAME=PATH, or a quoted command line"});
  }
  // A file that is not there is no usage error: it may be built later. Its tests say what is wrong.
  spec.path = find_program(words.front()).value_or(fs::absolute(words.front())).string();
  if (spec.name.empty()) spec.name = default_name(spec.path);
  spec.arguments.assign(words.begin() + 1, words.end());
  return spec;
}

Expected<std::vector<ProgramSpec>> parse_programs(const std::vector<std::string>& arguments) {
  std::vector<ProgramSpec> specs;
  for (const std::string& argument : arguments) {
    auto spec = parse_program(argument);
    if (!spec) return tl::unexpected(spec.error());
    const auto same = std::find_if(specs.begin(), specs.end(), [&](const ProgramSpec& other) {
      return share_ids(other.name, spec->name);
    });
    if (same != specs.end()) {
      const std::string cause = same->name == spec->name
                                    ? "both programs are called '" + spec->name + "'"
                                    : "their names, '" + same->name + "' and '" + spec->name +
                                          "', could give two tests one id";
      return tl::unexpected(Error{"serve " + same->path + " and " + spec->path, cause,
                                  "give one another name: NAME=" + spec->path});
    }
    specs.push_back(std::move(*spec));
  }
  return specs;
}

}  // namespace hearth::server
