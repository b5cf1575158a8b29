#include "server/output_tail.hpp"

#include <doctest/doctest.h>

#include "server/program_words.hpp"

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
  std::vector<std::string> lines;
  OutputTail tail{io, std::move(out.ours), std::move(err.ours),
                  [this](std::string_view line) { lines.emplace_back(line); }};
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

TEST_CASE("OutputTail: lines are told as they end, but for what names the framework") {
  Printer printer;
  printer.print(printer.out.theirs, "Running main() from gtest_main.cc\nseed 1\n\nand a");
  (void)printer.tail.text();
  CHECK(printer.lines == std::vector<std::string>{"seed 1"});
  printer.print(printer.out.theirs, " half\n" + std::string(4500, 'x'));
  (void)printer.tail.text();
  REQUIRE(printer.lines.size() == 4);
  CHECK(printer.lines[1] == "and a half");
  CHECK(printer.lines[2] == std::string(2000, 'x'));
  printer.tail.mute();
  printer.print(printer.err.theirs, "unheard\n");
  CHECK(printer.tail.words("It") ==
        "It printed to stderr:\nunheard\n"
        "It printed to stdout, at last:\n" +
            std::string(2048, 'x') + '\n');
  CHECK(printer.lines.size() == 4);
}

TEST_CASE("OutputTail: words are those printed so far, none but the framework's are none") {
  Printer printer;
  CHECK(printer.tail.words("It").empty());
  printer.print(printer.out.theirs, "Running main() from gtest_main.cc\n");
  CHECK(printer.tail.words("It").empty());
  printer.print(printer.out.theirs, "seed 1");
  CHECK(printer.tail.words("It") == "It printed to stdout:\nseed 1\n");
  CHECK(printer.lines == std::vector<std::string>{"seed 1"});
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

TEST_CASE("OutputTail: a line that came another way is part of the end") {
  Printer printer;
  printer.tail.add("==7== Invalid read");
  CHECK(printer.tail.text() == "Its standard error ended with:\n==7== Invalid read\n");
}

TEST_CASE("Program words: valgrind's lines name a process") {
  CHECK(pid_in_report("==7== Invalid read of size 4") == 7);
  CHECK(pid_in_report("==123456== ") == 123456);
  for (const std::string line : {"", "==", "==7", "==7=", "==x==", "==-7==", "== 7==", "=7=="}) {
    CAPTURE(line);
    CHECK_FALSE(pid_in_report(line).has_value());
  }
}
