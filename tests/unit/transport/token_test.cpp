#include "transport/token.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/support/temporary_folder.hpp"

using namespace hearth::transport;

TEST_CASE("Token: goes through its file, which is nobody else's") {
  const hearth::test::TemporaryFolder folder;
  const std::string path = folder.path() / "token";
  const std::string token = new_token();
  CHECK(token.size() == token_size);
  CHECK(token != new_token());
  REQUIRE(write_token_file(path, token));
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(read_token_file(path) == token);
  const std::string second = new_token();
  REQUIRE(write_token_file(path, second));
  CHECK(read_token_file(path) == second);
}

TEST_CASE(
    "Token: a file that others could read, that is none, or that holds something else is refused") {
  const hearth::test::TemporaryFolder folder;
  const std::string path = folder.path() / "token";
  CHECK(!read_token_file(path));
  CHECK(!read_token_file(folder.path()));
  for (const std::string& content :
       {std::string(), std::string("x"), std::string(64, 'g'), std::string(65, '0'),
        std::string(100'000, '0'), std::string(63, '0') + "\n\n"}) {
    folder.write("token", content);
    chmod(path.c_str(), 0600);
    CHECK(!read_token_file(path));
  }
  REQUIRE(write_token_file(path, new_token()));
  chmod(path.c_str(), 0640);
  CHECK(!read_token_file(path));
  CHECK(!write_token_file(folder.path() / "nowhere" / "token", new_token()));
}

TEST_CASE("Token: only the same is the same") {
  CHECK(same_token("0123", "0123"));
  for (const char* other : {"", "0", "012", "01234", "0124", "1123"})
    CHECK(!same_token("0123", other));
}
