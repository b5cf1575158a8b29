#include "client/reports/attachment_limit.hpp"

#include <doctest/doctest.h>

#include "tests/unit/client/packets.hpp"

using namespace hearth::client;
using hearth::protocol::as_text;
using hearth::protocol::TestStatus;
using Texts = std::vector<std::pair<std::string, std::string>>;

namespace {

struct Sender {
  AttachmentLimit limit{10};

  // What becomes of a packet of the file: names and contents; `=` where it stays as it is.
  Texts send(std::string_view id, std::string_view name, std::string_view text) {
    const auto packet = test::file(id, name, text);
    const auto pieces = limit.pieces(0, packet);
    Texts texts;
    for (const auto& piece : pieces)
      texts.push_back({piece.name + (piece.eof ? "$" : ""), std::string(as_text(piece.content))});
    if (pieces.empty()) texts.push_back({"=", ""});
    return texts;
  }
};

const Texts as_it_is{{"=", ""}};

}  // namespace

TEST_CASE("Attachment limit: what fits stays, what does not goes on under other names, whole") {
  Sender one;
  CHECK(one.send("a", "stdout", "0123456789") == as_it_is);
  CHECK(one.send("a", "stdout", "x") == Texts{{"stdout$", ""}, {"stdout.2", "x"}});
  CHECK(one.send("a", "stdout", "y") == Texts{{"stdout.2", "y"}});
  CHECK(one.send("a", "stderr", "y") == as_it_is);
  CHECK(one.send("b", "stdout", "0123456789") == as_it_is);
  CHECK(one.send("a", "stdout", "0123456789abcdefghijklm") ==
        Texts{{"stdout.2$", "01234567"}, {"stdout.3$", "89abcdefgh"}, {"stdout.4", "ijklm"}});

  Sender at_once;
  CHECK(at_once.send("a", "traceback", "0123456789abc") ==
        Texts{{"traceback$", "0123456789"}, {"traceback.2", "abc"}});
}

TEST_CASE("Attachment limit: no character is cut, wherever the packets are") {
  Sender one;
  CHECK(one.send("a", "stdout", "12345678€€") ==
        Texts{{"stdout$", "12345678€"}, {"stdout.2", "€"}});
  Sender split;
  CHECK(split.send("a", "stdout", "12345678\xe2\x82") == as_it_is);
  CHECK(split.send("a", "stdout", "\xac!") == Texts{{"stdout$", "\xac"}, {"stdout.2", "!"}});
  Sender octets;
  CHECK(octets.send("a", "stdout", std::string(16, '\x80')) ==
        Texts{{"stdout$", std::string(13, '\x80')}, {"stdout.2", std::string(3, '\x80')}});
}

TEST_CASE("Attachment limit: a test that has ended begins anew; other packets stay") {
  Sender one;
  CHECK(one.send("a", "stdout", "0123456789") == as_it_is);
  CHECK(one.limit.pieces(0, test::status("a", TestStatus::fail, {})).empty());
  CHECK(one.send("a", "stdout", "0123456789") == as_it_is);
  CHECK(one.limit.pieces(1, test::file("a", "stdout", "0123456789")).empty());
}
