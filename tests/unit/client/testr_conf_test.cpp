#include "client/project/testr_conf.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "client/options.hpp"
#include "client/project/init.hpp"
#include "client/project/shell_command.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace hearth::client;
using hearth::test::TemporaryFolder;
using namespace std::string_literals;
using Words = std::vector<std::string>;

namespace {

TestrConf parsed(const std::string& text) {
  auto conf = TestrConf::parse(text, ".testr.conf");
  REQUIRE(conf);
  return std::move(*conf);
}

std::string error_of(const std::string& text) {
  const auto conf = TestrConf::parse(text, "dir/.testr.conf");
  REQUIRE_FALSE(conf);
  return conf.error().text();
}

std::optional<std::string> group(const std::string& regex, const std::string& id) {
  const auto group_of = parsed("[DEFAULT]\ngroup_regex=" + regex + "\n").group_of();
  REQUIRE(group_of);
  REQUIRE(*group_of);
  return (*group_of)(id);
}

std::string value_of(const Words& command) {
  const auto value = config_value(command);
  REQUIRE(value);
  return *value;
}

}  // namespace

TEST_CASE("TestrConf: all keys of ours") {
  const auto conf = parsed(
      "[DEFAULT]\n"
      "name=prog\n"
      "server_command=hearth serve ./%(name)s --env A=50%%\n"
      "test_run_concurrency=echo 3\n"
      "group_regex=([^.]+\\.)+\n"
      "filter_tags= one  two\n  three\n"
      "instance_provision=provide $INSTANCE_COUNT\n"
      "instance_execute=in $INSTANCE_ID $COMMAND\n"
      "instance_dispose=drop $INSTANCE_IDS\n");
  CHECK(conf.server_command == "hearth serve ./prog --env A=50%");
  CHECK(conf.run_concurrency == "echo 3");
  CHECK(conf.group_regex == "([^.]+\\.)+");
  CHECK(conf.filter_tags == Words{"one", "two", "three"});
  CHECK(conf.instances.provision == "provide $INSTANCE_COUNT");
  CHECK(conf.instances.execute == "in $INSTANCE_ID $COMMAND");
  CHECK(conf.instances.dispose == "drop $INSTANCE_IDS");
}

TEST_CASE("TestrConf: what is not there is not there, and an empty server command is none") {
  for (const auto* text : {"", "[DEFAULT]\nserver_command=\n", "[other]\nserver_command=x\n"}) {
    const auto conf = parsed(text);
    CHECK_FALSE(conf.server_command);
    CHECK_FALSE(conf.run_concurrency);
    CHECK_FALSE(conf.instances.provision);
    CHECK(conf.filter_tags.empty());
    CHECK_FALSE(conf.group_of().value());
  }
}

TEST_CASE("TestrConf: mistakes in keys that are not ours are not our business") {
  CHECK(parsed("[DEFAULT]\ntest_command=50%\nserver_command=x\n").server_command == "x");
}

TEST_CASE("TestrConf: errors name the file, the line, the key and the way out") {
  CHECK(error_of("[DEFAULT]\na=1\nserver_command=50%\n") ==
        "use the key 'server_command' in line 3 of dir/.testr.conf: a single % stands in it; "
        "write %% for a percent sign");
  CHECK(error_of("[DEFAULT]\ngroup_regex=(\n")
            .starts_with("use the key 'group_regex' in line 2 of dir/.testr.conf: '(' is no "
                         "regular expression: "));
  CHECK(error_of("[DEFAULT]\nfilter_tags=%(tags)s\n") ==
        "use the key 'filter_tags' in line 2 of dir/.testr.conf: it refers to the key 'tags', "
        "which is not there; add that key, or write %% for a percent sign");
  CHECK(error_of("server_command=x\n") ==
        "read line 1 of dir/.testr.conf: it stands before any section; begin the file with a "
        "line [DEFAULT]");
  CHECK(error_of("[DEFAULT]\na=1\n\nA=2\n") ==
        "read line 4 of dir/.testr.conf: the key 'a' is there twice, first in line 2; remove one "
        "of both");
  CHECK(error_of("[DEFAULT]\nserver_command\n") ==
        "read line 2 of dir/.testr.conf: it is neither 'key = value' nor a [section]; indent it if "
        "it goes on with the value above; put # before a comment");
  CHECK(error_of("[DEFAULT]\na=\xff\n").starts_with("read line 2 of dir/.testr.conf: "));
  CHECK(error_of("[DEFAULT]\na=\0\n"s).starts_with("read line 2 of dir/.testr.conf: "));
  CHECK(error_of("\xef\xbb\xbf[DEFAULT]\n").find("byte order mark") != std::string::npos);
  CHECK(error_of(std::string(2 << 20, '#')).find("1 MiB") != std::string::npos);
}

TEST_CASE("TestrConf: references that multiply are cut off") {
  std::string text = "[DEFAULT]\nk0=" + std::string(1000, '%') + "\nserver_command=%(k8)s\n";
  for (int i = 1; i <= 8; ++i) {
    text += "k" + std::to_string(i) + "=";
    for (int j = 0; j < 20; ++j) text += "%(k" + std::to_string(i - 1) + ")s";
    text += "\n";
  }
  CHECK(error_of(text).find("1 MiB") != std::string::npos);
}

TEST_CASE("TestrConf: a project's file, or none, or none that can be read") {
  const TemporaryFolder folder;
  const auto directory = folder.path().string();
  CHECK(testr_conf_path(".") == ".testr.conf");
  CHECK(testr_conf_path(directory) == directory + "/.testr.conf");
  CHECK_FALSE(TestrConf::read(directory).value());
  std::ofstream(testr_conf_path(directory)) << "[DEFAULT]\nserver_command=x\n";
  CHECK(TestrConf::read(directory).value()->server_command == "x");
  std::filesystem::remove(testr_conf_path(directory));
  std::filesystem::create_directory(testr_conf_path(directory));
  CHECK_FALSE(TestrConf::read(directory));
}

TEST_CASE("TestrConf: groups are what the regular expression matches at the beginning") {
  CHECK(group("([^\\.]+\\.)+", "prog.Suite.test") == "prog.Suite.");
  CHECK(group("Suite", "prog.Suite.test") == std::nullopt);
  CHECK(group("x*", "prog.Suite.test") == std::nullopt);
  CHECK(group("(?P<program>[^.]+)\\.(?P=program)", "a.a.b") == "a.a");
  CHECK(group("prog|prog\\.Suite", "prog.Suite.test") == "prog");
}

TEST_CASE("TestrConf: Python's named groups in Perl's syntax") {
  CHECK(from_python("(?P<a>x)(?P=a)") == "(?<a>x)\\k<a>");
  CHECK(from_python("\\(?P<a>\\\\(?P<b>y)") == "\\(?P<a>\\\\(?<b>y)");
  CHECK(from_python("a\\") == "a\\");
  CHECK(from_python("(?P=a") == "(?P=a");
}

TEST_CASE("TestrConf: substitution is one pass, and leaves what it does not know") {
  CHECK(substitute("$A $B$A ${A} $C \\$A $", {{"A", "$B"}, {"B", "b"}}) == "$B b$B ${A} $C \\$B $");
  CHECK(substitute("$INSTANCE_IDS", {{"INSTANCE_ID", "x"}}) == "xS");  // as testr's
}

TEST_CASE("Init: commands are quoted for the shell, and percent signs doubled") {
  CHECK(value_of({"hearth", "serve", "./foo_test"}) == "hearth serve ./foo_test");
  CHECK(value_of({"a b", "it's", "", "$HOME", "100%", "#x", "~"}) ==
        "'a b' 'it'\\''s' '' '$HOME' 100%% '#x' '~'");
  CHECK_FALSE(config_value({"a\nb"}));
  CHECK_FALSE(config_value({"a\rb"}));
  CHECK_FALSE(config_value({"\xff"}));
}

TEST_CASE("Init: what is written is read back as it was meant, and by the shell too") {
  const Words words{"hearth", "a b", "it's", "\\", "100%", "%(x)s",
                    "é",      "`x`", "a;b",  "*",  "=",    ":"};
  const auto conf = parsed(new_testr_conf(value_of(words)));
  const auto printed = run_shell(
      {"test", "printf '%s\\n' " + conf.server_command.value(), ".", std::chrono::minutes(1)});
  REQUIRE(printed);
  std::string expected;
  for (const auto& word : words) expected += word + "\n";
  CHECK(printed->out == expected);
  CHECK(conf.file.raw("test_command") == "hearth stream $LISTOPT $IDOPTION");
}

TEST_CASE("Init: lines are added to the section that is there") {
  const auto added = [](const std::string& text) { return with_lines(text, "k=v\n"); };
  CHECK(added("[DEFAULT]\na=b\n") == "[DEFAULT]\nk=v\na=b\n");
  CHECK(added("# c\n[DEFAULT]  \r\na=b\n") == "# c\n[DEFAULT]  \r\nk=v\na=b\n");
  CHECK(added("[DEFAULT]") == "[DEFAULT]\nk=v\n");
  CHECK(added("[other]\na=[DEFAULT]\n") == "[other]\na=[DEFAULT]\n\n[DEFAULT]\nk=v\n");
  CHECK(added("") == "[DEFAULT]\nk=v\n");
}

TEST_CASE("Init: testr's keys are only added where there is no test_command") {
  CHECK(needed_lines("x", parsed("[DEFAULT]\ntest_command=y\n")) == "server_command=x\n");
  CHECK(needed_lines("x", parsed("[DEFAULT]\n")).find("test_id_option=") != std::string::npos);
}

TEST_CASE("Init: its command line") {
  const auto command =
      parse_command_line({"init", "--add", "-C", "/", "-j", "3", "./a", "--", "--odd"});
  REQUIRE(command);
  REQUIRE(std::holds_alternative<InitCommand>(*command));
  const auto& init = std::get<InitCommand>(*command);
  CHECK(init.add);
  CHECK(init.directory == "/");
  CHECK(init.server.jobs == 3U);
  CHECK(init.server.programs == Words{"./a", "--odd"});
  const auto without = parse_command_line({"init"});
  REQUIRE_FALSE(without);
  CHECK(without.error().exit_code == 2);
}
