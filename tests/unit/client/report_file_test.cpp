#include "client/reports/report_file.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "client/reports/reports.hpp"
#include "protocol/subunit_v2.hpp"
#include "tests/unit/client/scratch_file.hpp"

using namespace hearth::client;
using hearth::client::test::ScratchFile;

TEST_CASE("Report file: what was there before is replaced; large streams arrive whole") {
  const ScratchFile scratch;
  std::ofstream(scratch.path) << "old";
  const std::string piece(100'000, 'x');
  {
    auto file = ReportFile::open(scratch.path);
    REQUIRE(file);
    for (int i = 0; i < 10; ++i) file->write(piece);
  }
  CHECK(scratch.content() == std::string(1'000'000, 'x'));
}

TEST_CASE("Report file: one that cannot be opened or filled is an error that names it") {
  const auto absent = ReportFile::open("/no/such/folder/file");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().attempted.find("/no/such/folder/file") != std::string::npos);
  auto full = ReportFile::open("/dev/full");
  REQUIRE(full);
  full->write("something");
  const auto flushed = full->flush();
  REQUIRE_FALSE(flushed);
  CHECK(flushed.error().cause == "No space left on device");
  CHECK(flushed.error().attempted.find("/dev/full") != std::string::npos);
  CHECK_FALSE(full->flush());
}

TEST_CASE(
    "Reports: the subunit file has the packets, with the server's tag where there are several") {
  using namespace hearth::protocol;
  const auto written = [](std::size_t workers) {
    const ScratchFile scratch;
    ReportOptions options;
    options.subunit = scratch.path;
    const auto reports = open_reports(options);
    REQUIRE(reports);
    REQUIRE(reports->size() == 1);
    RunInfo run;
    run.workers = workers;
    reports->front()->on_begin(run);
    PacketView packet;
    packet.status = TestStatus::success;
    packet.test_id = "a";
    reports->front()->on_packet(3, packet);
    CHECK(finish_reports(*reports).empty());
    return scratch.content();
  };
  const auto wire = [](const Packet& packet) {
    Bytes bytes;
    REQUIRE(encode(packet, bytes));
    return std::string(as_text(bytes));
  };
  Packet packet{.status = TestStatus::success, .test_id = "a"};
  CHECK(written(1) == wire(packet));
  const std::vector<std::string_view> tags{"worker-3"};
  packet.tags = tags;
  CHECK(written(4) == wire(packet));
}

TEST_CASE(
    "Reports: one that cannot be opened is an error at once; one that fills up is one at the end") {
  CHECK_FALSE(open_reports({.subunit = "/no/such/folder/file"}));
  using namespace hearth::protocol;
  const auto reports = open_reports({.subunit = "/dev/full"});
  REQUIRE(reports);
  Bytes wire(10);
  PacketView packet;
  packet.wire = wire;
  reports->front()->on_packet(0, packet);
  const auto errors = finish_reports(*reports);
  REQUIRE(errors.size() == 1);
  CHECK(errors.front().cause == "No space left on device");
}

TEST_CASE("Reports: stdout is taken by a report that is named -, and by one only") {
  CHECK_FALSE(reports_take_stdout({}));
  CHECK_FALSE(reports_take_stdout({.subunit = "file"}));
  CHECK(reports_take_stdout({.subunit = "-"}));
}
