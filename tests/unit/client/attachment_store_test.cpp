#include "client/history/attachment_store.hpp"

#include <doctest/doctest.h>

#include "protocol/utf8.hpp"
#include "tests/unit/client/packets.hpp"

namespace hearth::client {
namespace {

using test::file;

TEST_CASE("AttachmentStore: what belongs to one execution, in order of arrival") {
  AttachmentStore store;
  store.add(0, file("a", "stdout", "one "));
  store.add(1, file("a", "stdout", "other"));
  store.add(0, file("b", "stdout", "b's"));
  store.add(0, file("a", "traceback", "why"));
  store.add(0, file("a", "stdout", "two"));
  const auto taken = store.take(0, "a");
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].name == "stdout");
  CHECK(taken[0].text == "one two");
  CHECK(taken[0].mime_type == "text/plain;charset=utf8");
  CHECK(taken[1].text == "why");
  CHECK(store.take(0, "a").empty());
  CHECK(store.take(1, "a")[0].text == "other");
  CHECK(store.take(0, "b")[0].text == "b's");
  CHECK(store.bytes() == 0);
}

TEST_CASE("AttachmentStore: of a long attachment the beginning and the end stay, and it says so") {
  AttachmentStore store;
  const std::size_t limit = AttachmentStore::attachment_limit;
  for (const std::size_t piece : {std::size_t{1000}, limit / 3, 3 * limit}) {
    std::size_t sent = 0;
    store.add(0, file("a", "stdout", "begin"));
    while (sent < 4 * limit) {
      store.add(0, file("a", "stdout", std::string(piece, '.')));
      sent += piece;
      CHECK(store.bytes() <= 3 * limit / 2);
    }
    store.add(0, file("a", "stdout", "end"));
    const auto taken = store.take(0, "a");
    const auto& text = taken.at(0).text;
    CHECK(text.starts_with("begin..."));
    CHECK(text.ends_with("...end"));
    CHECK(text.find("\n[" + std::to_string(sent + 8 - limit) + " bytes were not kept]\n") !=
          std::string::npos);
    CHECK(text.size() < limit + 100);
    CHECK(taken[0].size == sent + 8);
    CHECK(store.bytes() == 0);
  }
}

TEST_CASE("AttachmentStore: no character is cut, where the text is") {
  const std::size_t limit = AttachmentStore::attachment_limit;
  for (const std::string_view character : {"\u00e9", "\u20ac", "\U0001f98a"}) {
    for (std::size_t before = 0; before < 4; ++before) {
      AttachmentStore store;
      std::string text(before, '.');
      while (text.size() < 3 * limit) text += character;
      for (std::size_t at = 0; at < text.size(); at += 65'537)
        store.add(0, file("a", "stdout", std::string_view(text).substr(at, 65'537)));
      const auto taken = store.take(0, "a");
      REQUIRE(taken.size() == 1);
      const auto scan = hearth::protocol::scan_utf8(taken[0].text);
      CHECK(scan.valid == taken[0].text.size());
      CHECK(taken[0].text.size() + 100 > limit);
    }
  }
}

TEST_CASE("AttachmentStore: all together are bounded, whatever a peer sends") {
  AttachmentStore store;
  const std::string piece(AttachmentStore::attachment_limit / 2, '.');
  for (int test = 0; test < 200; ++test) store.add(0, file(std::to_string(test), "stdout", piece));
  CHECK(store.bytes() == AttachmentStore::total_limit);
  const auto kept = store.take(0, "0");
  CHECK(kept[0].text == piece);
  const auto cut = store.take(0, "199");
  CHECK(cut[0].text == "\n[" + std::to_string(piece.size()) + " bytes were not kept]\n");
  for (int name = 0; name < 100'000; ++name) store.add(0, file("many", std::to_string(name), ""));
  CHECK(store.take(0, "many").size() == 256);
}

}  // namespace
}  // namespace hearth::client
