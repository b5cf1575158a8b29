#include "client/history/v1_writer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

using protocol::TestStatus;

std::string_view outcome(TestStatus status) {
  switch (status) {
    case TestStatus::success:
      return "successful";
    case TestStatus::skip:
      return "skip";
    case TestStatus::xfail:
      return "xfail";
    case TestStatus::uxsuccess:
      return "uxsuccess";
    default:
      return "failure";
  }
}

void append_time(std::string& out, protocol::Timestamp when) {
  using namespace std::chrono;
  const auto day = floor<days>(when);
  const year_month_day date(day);
  const hh_mm_ss time(floor<microseconds>(when - day));
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "time: %04d-%02u-%02u %02ld:%02ld:%02ld.%06ldZ\n",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<long>(time.hours().count()),
      static_cast<long>(time.minutes().count()), static_cast<long>(time.seconds().count()),
      static_cast<long>(time.subseconds().count()));
  out.append(text.data(), static_cast<std::size_t>(size));
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// One line, whatever it was.
void append_line_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (!is_control(c)) {
      out += c;
      continue;
    }
    std::array<char, 4> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "%%%02X", static_cast<unsigned char>(c));
    out += escaped.data();
  }
}

// python-subunit splits the type at '/', and wants two parts.
bool is_readable_type(std::string_view type) {
  const auto slash = type.find('/');
  return slash != 0 && slash != std::string_view::npos && slash + 1 < type.size() &&
         type.find('/', slash + 1) == std::string_view::npos &&
         std::none_of(type.begin(), type.end(), is_control);
}

void append_attachment(std::string& out, const Attachment& attachment) {
  const std::string_view text = attachment.text;
  // testr decodes what is called text, and reads nothing of a repository in which it is none.
  const bool is_readable =
      is_readable_type(attachment.mime_type) && (!attachment.mime_type.starts_with("text/") ||
                                                 protocol::scan_utf8(text).valid == text.size());
  out += "Content-Type: ";
  out += is_readable ? attachment.mime_type : "application/octet-stream";
  out += '\n';
  append_line_text(out, attachment.name);
  out += '\n';
  if (!attachment.text.empty()) {
    std::array<char, 24> size{};
    std::snprintf(size.data(), size.size(), "%zX\r\n", attachment.text.size());
    out += size.data();
    out += attachment.text;
  }
  out += "0\r\n";
}

}  // namespace

void append_v1(std::string& out, const StoredResult& result, protocol::Timestamp otherwise) {
  const auto started = result.started_at.value_or(otherwise);
  const std::string worker = result.worker ? "worker-" + std::to_string(*result.worker) : "";
  append_time(out, started);
  if (!worker.empty()) out += "tags: " + worker + "\n";
  out += "test: ";
  append_line_text(out, result.id);
  out += '\n';
  append_time(out, started + result.duration.value_or(nanoseconds(0)));
  out += outcome(result.status);
  out += ": ";
  append_line_text(out, result.id);
  // Without any details python-subunit takes a failure for one with an empty traceback: the same.
  if (!result.attachments.empty()) {
    out += " [ multipart\n";
    for (const auto& attachment : result.attachments) append_attachment(out, attachment);
    out += ']';
  }
  out += '\n';
  if (!worker.empty()) out += "tags: -" + worker + "\n";
}

}  // namespace hearth::client
