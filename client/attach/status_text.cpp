#include "client/attach/status_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "client/text.hpp"

namespace hearth::client {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;

std::string text_of(const Json& object, const char* key) {
  const auto value = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || value == object.end()) return "-";
  if (const auto* const text = value->get_ptr<const std::string*>())
    return text->empty() ? "-" : printable_line(*text);
  return value->is_number() ? value->dump() : "-";
}

// 0, which means "none", as "-".
std::string number_or_none(const Json& object, const char* key) {
  const auto text = text_of(object, key);
  return text == "0" ? "-" : text;
}

Json list_of(const Json& state, const char* key) {
  const auto list = state.is_object() ? state.find(key) : state.end();
  return state.is_object() && list != state.end() && list->is_array() ? *list : Json::array();
}

// Below a head line, each column as wide as it needs to be.
std::string table(std::vector<Row> rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - display_width(row[i]) + 2, ' ');
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

std::string status_text(const Json& state) {
  const auto idle = text_of(state, "idle");
  std::string text =
      "hearth " + text_of(state, "hearth") + " at " + text_of(state, "address") + ", process " +
      text_of(state, "pid") + ", since " + text_of(state, "since") +
      (idle == "0" ? "; it stays" : "; it ends when no client has been there for " + idle + " s") +
      "\n\n";
  std::vector<Row> rows{{"program", "mode", "tests", "process", "generation", "since", "path"}};
  for (const auto& program : list_of(state, "programs"))
    rows.push_back({text_of(program, "name"), text_of(program, "mode"), text_of(program, "tests"),
                    number_or_none(program, "pid"), text_of(program, "generation"),
                    text_of(program, "since"), text_of(program, "path")});
  text += table(std::move(rows)) + "\n";
  rows = {{"session", "since", "commands", "left"}};
  for (const auto& session : list_of(state, "sessions"))
    rows.push_back({text_of(session, "id"), text_of(session, "since"), text_of(session, "runs"),
                    text_of(session, "left")});
  text += rows.size() == 1 ? "no session\n" : table(std::move(rows));
  rows = {{"running", "session", "since"}};
  for (const auto& test : list_of(state, "running"))
    rows.push_back({text_of(test, "id"), number_or_none(test, "session"), text_of(test, "since")});
  return text + "\n" + (rows.size() == 1 ? "no test runs\n" : table(std::move(rows)));
}

}  // namespace hearth::client
