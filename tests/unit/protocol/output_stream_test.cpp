#include "protocol/output_stream.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "protocol/utf8.hpp"

using namespace hearth::protocol;
using namespace std::string_literals;

namespace {

// What the attachments are in the end; that nothing breaks a rule on the way.
struct Collected {
  std::map<std::string, std::string> contents;
  std::map<std::string, std::string> types;
  std::map<std::string, bool> ended;

  OutputStream::Emit emitter() {
    return
        [this](std::string_view file, std::string_view type, std::string_view content, bool last) {
          const std::string name(file);
          CHECK_FALSE(ended[name]);
          CHECK(types.try_emplace(name, type).first->second == type);
          contents[name] += content;
          ended[name] = last;
        };
  }
  void check_ended() const {
    for (const auto& one : ended) CHECK_MESSAGE(one.second, one.first);
  }
};

Collected collect(const std::vector<std::string>& pieces, std::uint64_t limit = 0) {
  Collected collected;
  OutputStream stream("out", limit);
  for (const std::string& piece : pieces) stream.add(piece, collected.emitter());
  stream.finish(collected.emitter());
  collected.check_ended();
  return collected;
}

constexpr char text[] = "text/plain;charset=utf8";
constexpr char octets[] = "application/octet-stream";

}  // namespace

TEST_CASE("Output: nothing written, nothing attached") {
  CHECK(collect({}).contents.empty());
  CHECK(collect({"", ""}).contents.empty());
}

TEST_CASE("Output: the same attachments, however the bytes are split") {
  const std::string samples[] = {
      "plain text\n",
      "gr\xC3\xBC\xC3\x9F"
      "e \xE2\x82\xAC \xF0\x9F\x94\xA5",
      "text, then \xFF octets \xC3\xBC",
      "\xB3 from the first byte",
      "cut off \xF0\x9F\x94",
      "nul\0and more"s,
      "\xC3",
  };
  for (const std::string& sample : samples) {
    const Collected whole = collect({sample});
    std::string joined;
    for (const char* const name : {"out", "out.bin"}) {
      if (whole.contents.contains(name)) joined += whole.contents.at(name);
    }
    CHECK(joined == sample);
    std::vector<std::string> bytes;
    for (const char c : sample) bytes.emplace_back(1, c);
    CHECK(collect(bytes).contents == whole.contents);
    for (std::size_t i = 0; i <= sample.size(); ++i) {
      for (std::size_t j = i; j <= sample.size(); ++j) {
        const Collected split =
            collect({sample.substr(0, i), sample.substr(i, j - i), sample.substr(j)});
        CHECK(split.contents == whole.contents);
        CHECK(split.types == whole.types);
      }
    }
  }
}

TEST_CASE("Output: what is text and what is not") {
  CHECK(collect({"text"}).types == std::map<std::string, std::string>{{"out", text}});
  CHECK(collect({"\xFF"}).types == std::map<std::string, std::string>{{"out", octets}});
  CHECK(collect({"a\xFF"}).types ==
        std::map<std::string, std::string>{{"out", text}, {"out.bin", octets}});
  CHECK(collect({"a\xC3"}).contents ==
        std::map<std::string, std::string>{{"out", "a"}, {"out.bin", "\xC3"}});
}

TEST_CASE("Output: cut at the limit, exactly, and said to be") {
  const std::string note =
      "\n[cut here: 3 bytes more were written; the output limit is 10 bytes]\n";
  CHECK(collect({"0123456789"}, 10).contents.at("out") == "0123456789");
  CHECK(collect({"0123456789abc"}, 10).contents.at("out") == "0123456789" + note);
  CHECK(collect({"01234", "56789a", "bc"}, 10).contents.at("out") == "0123456789" + note);
  CHECK(collect({"0123456789", "", "abc"}, 10).contents.at("out") == "0123456789" + note);
  CHECK(collect({"\xFF"
                 "123456789abc"},
                10)
            .contents.at("out") ==
        "\xFF"
        "123456789" +
            note);
}

TEST_CASE("Output: a limit inside a character leaves text text") {
  const Collected cut = collect({"ab\xE2\x82\xAC!"}, 4);
  CHECK(cut.contents.at("out") ==
        "ab\n[cut here: 4 bytes more were written; the output limit is 4 bytes]\n");
  CHECK(cut.types.at("out") == text);
  CHECK(collect({"\xE2\x82\xAC"}, 1).types == std::map<std::string, std::string>{{"out", text}});
}

TEST_CASE("Output: every limit keeps as many bytes as it says") {
  const std::string sample =
      "gr\xC3\xBC\xC3\x9F"
      "e \xFF octets";
  for (std::uint64_t limit = 1; limit < sample.size(); ++limit) {
    const Collected cut = collect({sample}, limit);
    std::string kept;
    for (const auto& [name, content] : cut.contents)
      kept += content.substr(0, content.find("\n[cut here: "));
    CAPTURE(limit);
    CHECK(kept.size() <= limit);
    CHECK(kept.size() + 3 >= limit);
    CHECK(sample.starts_with(kept));
    const std::string said = std::to_string(sample.size() - kept.size()) + " bytes more";
    CHECK((cut.contents.contains("out.bin") ? cut.contents.at("out.bin") : cut.contents.at("out"))
              .find(said) != std::string::npos);
  }
}

TEST_CASE("Output: a character does not go on in another process's output") {
  Collected collected;
  OutputStream stream("out", 0);
  stream.add("a\xC3", collected.emitter());
  stream.interrupt(collected.emitter());
  stream.add("\xBC", collected.emitter());
  stream.finish(collected.emitter());
  CHECK(collected.contents ==
        std::map<std::string, std::string>{{"out", "a"}, {"out.bin", "\xC3\xBC"}});
}
