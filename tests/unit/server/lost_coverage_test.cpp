#include "server/lost_coverage.hpp"

#include <doctest/doctest.h>

using hearth::server::lost_coverage;

TEST_CASE("Lost coverage: what the runtimes say where they cannot write") {
  for (const char* const line : {
           "profiling:/dev/null/x/t.gcda:Cannot open\n",               // GCC 12
           "profiling:/dev/null/x/t.gcda:Cannot create directory\n",   // GCC 12
           "profiling: /nowhere/t.gcda: cannot open: No such file\n",  // clang 14 --coverage
           "libgcov profiling error:/w/t.gcda:Error writing\n",        // GCC 13
           "LLVM Profile Error: Failed to write file \"x\": Not a directory\n",  // clang 14
           "hearth: coverage is lost: the program's symbols are stripped\n",
       }) {
    CAPTURE(line);
    CHECK(lost_coverage(line) == line);
    CHECK(lost_coverage(std::string("before\n") + line + "after") == line);
  }
}

TEST_CASE("Lost coverage: other words are none") {
  CHECK(lost_coverage("").empty());
  CHECK(lost_coverage("about profiling: nothing\n\n").empty());
  CHECK(
      lost_coverage("libgcov profiling error:/w/t.gcda:overwriting an existing profile data with a "
                    "different checksum\n")
          .empty());
}

TEST_CASE("Lost coverage: a last line without an end") {
  CHECK(lost_coverage("LLVM Profile Error: x") == "LLVM Profile Error: x\n");
}
