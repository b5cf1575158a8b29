#include "client/subunit_file.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "tests/unit/client/packets.hpp"

using namespace hearth::client;
using namespace hearth::protocol;

namespace {

// A file that is gone when the test is.
struct ScratchFile {
  std::string path = "/tmp/hearth-unit-XXXXXX";
  ScratchFile() { close(mkstemp(path.data())); }
  ~ScratchFile() { unlink(path.c_str()); }
  [[nodiscard]] std::string content() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

}  // namespace

TEST_CASE("Subunit file: packets as they came, then a fail for each missing test") {
  const ScratchFile scratch;
  Bytes packet;
  REQUIRE(encode({.status = TestStatus::success, .test_id = "a", .route_code = "1"}, packet));
  {
    auto file = SubunitFile::open(scratch.path);
    REQUIRE(file);
    file->write(packet);
    file->write_missing({"b", "2"}, "No result: lost\n", test::noon);
    file->write_missing({"c", ""}, "No result: lost\n", test::noon);
    CHECK(file->flush());
  }
  const auto content = scratch.content();
  CHECK(content.starts_with(as_text(packet)));
  PacketDecoder decoder;
  decoder.feed(as_bytes(content));
  decoder.finish();
  (void)decoder.next();
  for (const auto& [id, route] :
       std::vector<std::pair<std::string, std::string>>{{"b", "2"}, {"c", ""}}) {
    const auto event = decoder.next();
    REQUIRE(event);
    const auto& missing = std::get<PacketView>(*event);
    CHECK(missing.test_id == id);
    CHECK(missing.route_code.value_or("") == route);
    CHECK(missing.status == TestStatus::fail);
    CHECK(missing.timestamp == test::noon);
    CHECK(missing.file_name == "traceback");
    CHECK(as_text(missing.file_content) == "No result: lost\n");
    CHECK(missing.eof);
  }
  CHECK_FALSE(decoder.next());
}

TEST_CASE("Subunit file: what was there before is replaced; large streams arrive whole") {
  const ScratchFile scratch;
  std::ofstream(scratch.path) << "old";
  const Bytes piece(100'000, std::byte{'x'});
  {
    auto file = SubunitFile::open(scratch.path);
    REQUIRE(file);
    for (int i = 0; i < 10; ++i) file->write(piece);
  }
  CHECK(scratch.content() == std::string(1'000'000, 'x'));
}

TEST_CASE("Subunit file: a file that cannot be opened or filled is an error that names it") {
  const auto absent = SubunitFile::open("/no/such/folder/file");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().attempted.find("/no/such/folder/file") != std::string::npos);
  auto full = SubunitFile::open("/dev/full");
  REQUIRE(full);
  full->write(Bytes(10));
  CHECK_FALSE(full->flush());
  CHECK(full->error().cause == "No space left on device");
  CHECK_FALSE(full->flush());
}
