#include "server/output_tail.hpp"

#include <doctest/doctest.h>

#include "server/spawn.hpp"

using hearth::FdPair;
using hearth::UniqueFd;
using namespace hearth::server;

namespace {

// What a process prints, with the tail that keeps it.
struct Printer {
  void print(const UniqueFd& to, std::string_view text) const {
    REQUIRE(write(to.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

  hearth::asio::io_context io;
  FdPair out = *make_pipe();
  FdPair err = *make_pipe();
  OutputTail tail{io, std::move(out.ours), std::move(err.ours)};
};

std::string read_all(const UniqueFd& from) {
  char buffer[100];
  const ssize_t got = read(from.get(), buffer, sizeof buffer);
  return {buffer, got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace

TEST_CASE("OutputTail: it keeps what is printed, both streams apart") {
  Printer printer;
  printer.print(printer.out.theirs, "to out");
  printer.print(printer.err.theirs, "to err\n");
  CHECK(printer.tail.text() ==
        "Its standard error ended with:\nto err\nIts standard output ended with:\nto out\n");
}

TEST_CASE("OutputTail: what is printed while the streams are lent is the borrower's") {
  Printer printer;
  printer.print(printer.out.theirs, "before, ");
  {
    const OutputTail::Lent lent = printer.tail.lend();
    REQUIRE(lent.out);
    REQUIRE(lent.err);
    printer.print(printer.out.theirs, "meanwhile");
    printer.print(printer.err.theirs, "an error");
    printer.io.poll();  // the tail leaves it alone
    CHECK(read_all(lent.out) == "meanwhile");
    CHECK(read_all(lent.err) == "an error");
  }
  printer.tail.take_back();
  printer.print(printer.out.theirs, "behind");
  printer.io.poll();
  CHECK(printer.tail.text() == "Its standard output ended with:\nbefore, behind\n");
}

TEST_CASE("OutputTail: a stream that has ended can be lent still") {
  Printer printer;
  printer.out.theirs.reset();
  printer.io.poll();
  const OutputTail::Lent lent = printer.tail.lend();
  REQUIRE(lent.out);
  CHECK(read_all(lent.out).empty());
  printer.tail.take_back();
  printer.io.poll();
  CHECK(printer.tail.text().empty());
}
