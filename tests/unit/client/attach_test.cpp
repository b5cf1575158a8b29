#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "client/attach/log_file.hpp"
#include "client/attach/status_text.hpp"
#include "client/attach/tunnel_talk.hpp"
#include "client/attach/wanted_server.hpp"
#include "client/options.hpp"
#include "protocol/rpc_packet.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace hearth;
using namespace hearth::client;
using Words = std::vector<std::string>;

namespace {

protocol::Bytes attachment(std::string_view file, std::string_view text) {
  protocol::Bytes bytes;
  REQUIRE(protocol::encode({.test_id = protocol::rpc_test_id,
                            .mime_type = protocol::text_mime_type,
                            .file_name = file,
                            .file_content = protocol::as_bytes(text),
                            .eof = true},
                           bytes));
  return bytes;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string nul_ended(const Words& words) {
  std::string text;
  for (const auto& word : words) text += word + '\0';
  return text;
}

std::string wrong(Words words) {
  words.insert(words.begin(), "attach");
  const auto command = parse_command_line(std::move(words));
  REQUIRE_FALSE(command);
  CHECK(command.error().exit_code == 2);
  return command.error().text;
}

}  // namespace

TEST_CASE("Log file: never longer than its limit, and what was before it is kept once") {
  const test::TemporaryFolder folder;
  const auto path = folder.path().string() + "/private/log";
  {
    auto log = LogFile::open(path, 100);
    REQUIRE(log);
    for (int i = 0; i < 25; ++i) log->write("line " + std::to_string(10 + i) + "\n");
  }
  CHECK(contents(path).size() <= 100);
  CHECK(contents(path).ends_with("line 34\n"));
  CHECK(contents(path + ".1").size() <= 100);
  CHECK(contents(path + ".1") + contents(path) != contents(path));
  auto again = LogFile::open(path, 100);
  REQUIRE(again);
  again->write("more\n");
  CHECK(contents(path).ends_with("line 34\nmore\n"));
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("Tunnel talk: the first announcement, and lines for people") {
  TunnelTalk talk;
  talk.feed(protocol::as_bytes("Welcome\x1b[1m!\nno newline"));
  CHECK(talk.take_lines() == Words{"Welcome\\x1b[1m!"});
  talk.feed(attachment("error", "why\nnot"));
  CHECK(talk.take_lines() == Words{"no newlinewhy", "not"});
  CHECK_FALSE(talk.announcement());
  talk.feed(attachment("listening", "tcp:127.0.0.1:5 token abc"));
  talk.feed(attachment("listening", "unix:/other"));
  REQUIRE(talk.announcement());
  CHECK(talk.announcement()->address == "tcp:127.0.0.1:5");
  CHECK(talk.announcement()->token == "abc");
  talk.feed(protocol::as_bytes("last"));
  talk.finish();
  CHECK(talk.take_lines() == Words{"last"});
}

TEST_CASE("Status: whatever a server says is shown, and nothing that a terminal acts on") {
  const auto text = status_text(nlohmann::json::parse(R"({
    "hearth": "0.1.0", "pid": 7, "since": "2026-01-01T00:00:00Z", "address": "unix:/a", "idle": 60,
    "programs": [{"name": "net\u001b", "mode": "fork", "tests": 12, "pid": 8, "generation": 2,
                  "since": "2026-01-01T00:00:01Z", "path": "/b/net"},
                 {"name": "x", "mode": "failed", "tests": 0, "pid": 0}],
    "sessions": [{"id": 3, "since": "now", "runs": 1, "left": 4}], "running": "?"})"));
  CHECK(
      text ==
      "hearth 0.1.0 at unix:/a, process 7, since 2026-01-01T00:00:00Z; it ends when no client has "
      "been there for 60 s\n"
      "\n"
      "program  mode    tests  process  generation  since                 path\n"
      "net\\x1b  fork    12     8        2           2026-01-01T00:00:01Z  /b/net\n"
      "x        failed  0      -        -           -                     -\n"
      "\n"
      "session  since  commands  left\n"
      "3        now    1         4\n"
      "\n"
      "no test runs\n");
  CHECK_FALSE(status_text(nlohmann::json::parse("[]")).empty());
}

TEST_CASE(
    "Wanted server: what decides is what stands behind the address, where, and the isolation") {
  const auto line =
      nul_ended({"hearth", "serve", "--listen", "unix:/a", "--idle", "5", "--", "./x"});
  const auto found = identity_of(line, nul_ended({"A=1", "HEARTH_ISOLATION=none"}), "/home");
  REQUIRE(found);
  CHECK(*found == ServerIdentity{{"--", "./x"}, "/home", "none"});
  CHECK_FALSE(
      identity_of(nul_ended({"hearth", "serve", "--listen", "unix:/a", "./x"}), "", "/home"));
  CHECK_FALSE(identity_of("", "", "/home"));
}

TEST_CASE("Attach options: the ways to a server") {
  const auto parsed = [](Words words) {
    words.insert(words.begin(), "attach");
    const auto command = parse_command_line(std::move(words));
    REQUIRE(command);
    return *command;
  };
  using How = AttachCommand::How;
  auto command = std::get<AttachCommand>(parsed({"unix:a", "--token-file", "t"}));
  CHECK(command.how == How::connect);
  CHECK(command.token_file == "t");
  CHECK(command.words.empty());
  command =
      std::get<AttachCommand>(parsed({"--start", "unix:a", "--idle", "5", "--", "-j", "2", "x"}));
  CHECK(command.how == How::start);
  CHECK(command.idle == 5);
  CHECK(command.words == Words{"-j", "2", "x"});
  command = std::get<AttachCommand>(parsed({"unix:a", "--listen", "--", "ssh", "--", "host"}));
  CHECK(command.how == How::listen);
  CHECK(command.words == Words{"ssh", "--", "host"});
  const auto console = std::get<ConsoleCommand>(
      parsed({"--console", "--type", "a b", "--type", "c", "--forward", "1=2", "--", "script"}));
  CHECK(console.lines == Words{"a b", "c"});
  CHECK(console.forwards == Words{"1=2"});
  CHECK(console.words == Words{"script"});
}

TEST_CASE("Attach options: what makes no sense is refused, with the reason") {
  for (const char* option : {"--start", "--listen", "--token-file=t"})
    CHECK(wrong({option}).find("needs an ADDRESS") != std::string::npos);
  CHECK(wrong({"/a"}).find("unix:PATH") != std::string::npos);
  CHECK(wrong({"tcp:127.0.0.1:0"}).find("port") != std::string::npos);
  CHECK(wrong({"--start", "unix:a"}).find("behind --") != std::string::npos);
  CHECK(wrong({"--listen", "unix:a"}).find("behind --") != std::string::npos);
  CHECK(wrong({"--listen", "--start", "unix:a", "--", "x"}).find("give one") != std::string::npos);
  CHECK(wrong({"--idle", "5", "unix:a"}).find("--start only") != std::string::npos);
  CHECK(wrong({"--type", "x", "unix:a"}).find("--console only") != std::string::npos);
  CHECK(wrong({"--console", "unix:a", "--", "x"}).find("no ADDRESS") != std::string::npos);
  CHECK(wrong({"--console"}).find("behind --") != std::string::npos);
}
