#include "client/sanitizer_report.hpp"

#include <doctest/doctest.h>

using namespace hearth::client;

namespace {

const std::string asan =
    "=================================================================\n"
    "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1\n"
    "READ of size 4 at 0x1 thread T0\n"
    "    #0 0x2 in read() a.cpp:7\n"
    "\n"
    "SUMMARY: AddressSanitizer: heap-buffer-overflow a.cpp:7 in read()\n";
const std::string legend =
    "Shadow bytes around the buggy address:\n"
    "  0x0c047fff7fb0: 00 00\n"
    "=>0x0c047fff8000: fa fa[fa]\n"
    "Shadow byte legend (one shadow byte represents 8 application bytes):\n"
    "  Addressable:           00\n"
    "  Partially addressable: 01 02 03\n";

std::string numbered(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "line " + std::to_string(i) + '\n';
  return text;
}

}  // namespace

TEST_CASE("Sanitizer reports: the line that begins one is found") {
  for (const std::string line : {
           "==7==ERROR: AddressSanitizer: heap-use-after-free",
           "==7==ERROR: LeakSanitizer: detected memory leaks",
           "==7==WARNING: MemorySanitizer: use-of-uninitialized-value",
           "WARNING: ThreadSanitizer: data race (pid=7)",
           "a.cpp:7:5: runtime error: signed integer overflow",
           "==7== Invalid read of size 4",
           "==7== 4 bytes in 1 blocks are definitely lost in loss record 2 of 37",
       }) {
    CAPTURE(line);
    const std::string text = "before\n" + line + "\nafter\n";
    CHECK(from_first_report(text) == line + "\nafter\n");
  }
}

TEST_CASE("Sanitizer reports: what only looks like one is none") {
  for (const std::string line : {
           "",
           "==7==",
           "====================",
           "== 7 == Invalid read",
           "==7== Memcheck, a memory error detector",
           "==7== Command: ./t",
           "an ERROR: AddressSanitizer: in a sentence",
       }) {
    CAPTURE(line);
    CHECK_FALSE(from_first_report(line + "\n").has_value());
  }
}

TEST_CASE("Sanitizer reports: legends go, and what follows them stays") {
  CHECK(without_legends(asan + legend + "==7==ABORTING\n") == asan + "==7==ABORTING\n");
  CHECK(without_legends("no report") == "no report");
}

TEST_CASE("Sanitizer reports: an excerpt is all of it, from the report on, or the end") {
  auto excerpt = excerpt_of("a\nb\n", 4, 2, 100);
  CHECK(excerpt.text == "a\nb\n");
  CHECK(excerpt.title.empty());

  excerpt = excerpt_of(numbered(9), 63, 2, 100);
  CHECK(excerpt.text == "line 7\nline 8\n");
  CHECK(excerpt.title == "the last 14 of 63 bytes");

  const std::string whole = "said\n" + asan + legend;
  excerpt = excerpt_of(whole, whole.size(), 10, 4096);
  CHECK(excerpt.text == "said\n" + asan);
  CHECK(excerpt.title == std::to_string(excerpt.text.size()) + " of " +
                             std::to_string(whole.size()) + " bytes, without the legend");

  const std::string report = asan.substr(asan.find("==7=="));
  const std::string loud = numbered(50) + asan + legend + numbered(50);
  excerpt = excerpt_of(loud, loud.size(), 5, 4096);
  CHECK(excerpt.text == report + numbered(5));
  CHECK(excerpt.title == std::to_string(excerpt.text.size()) + " of " +
                             std::to_string(loud.size()) + " bytes, from the first report on");

  excerpt = excerpt_of(loud, loud.size(), 1000, 100);
  CHECK(excerpt.text == report.substr(0, report.find("    #0")));
}
