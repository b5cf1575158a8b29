#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "code.hpp"

TEST_CASE("once") {
  work(1);
}

TEST_CASE("often") {
  for (int i = 1; i < 40; ++i) {
    SUBCASE(("at " + std::to_string(i)).c_str()) {
      work(i);
    }
  }
}

TEST_CASE("negative") {
  CHECK(classify(-1) == -1);
}

TEST_CASE("zero") {
  CHECK(classify(0) == 0);
}

TEST_CASE("crashes" * doctest::skip()) {
  crash();
}

TEST_CASE("overflows" * doctest::skip()) {
  before_crash();
  CHECK(overflow(0) == 0);
}

int main(int count, char** words) {
  start_thread_if_asked();
  prepare();
  doctest::Context context(count, words);
  const int status = context.run();
  clean_up();
  return status;
}
