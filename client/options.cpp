#include "client/options.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "client/options/add_options.hpp"
#include "transport/address.hpp"

namespace hearth::client {
namespace {

// CLI11's help, with usage lines of our own: its own cannot show what follows `--`.
class HelpFormatter : public CLI::Formatter {
 public:
  std::map<std::string, std::string> usages;  // by command

  std::string make_usage(const CLI::App* app, std::string) const override {
    const auto usage = usages.find(app->get_name());
    return "\nUsage: " + (usage == usages.end() ? app->get_name() : usage->second) + "\n";
  }
  // The name of the value, without the range that it is checked against.
  std::string make_option_opts(const CLI::Option* option) const override {
    const auto name = option->get_type_name();
    return name.empty() ? "" : " " + name.substr(0, name.find(':'));
  }
};

std::string check_address(const std::string& text) {
  const auto address = transport::parse_address(text);
  return address ? std::string() : address.error().text();
}

struct Parsed {
  ServeCommand serve;
  ListCommand list;
  RunCommand run;
  CheckCommand check;
  StreamCommand stream;
  InitCommand init;
  HistoryCommands history;
  AttachOptions attach;
  StatusCommand status;
};

CLI::App* add_serve(CLI::App& app, ServeCommand& command) {
  auto* const serve = app.add_subcommand(
      "serve", "Serve test programs: the test-server RPC on stdin and stdout, in subunit v2");
  add_server_options(*serve, command.server);
  auto* const listen =
      serve
          ->add_option(
              "--listen", command.listen,
              "stay, and serve all who connect to unix:PATH or tcp:127.0.0.1:PORT, instead\n"
              "of one client on stdin and stdout")
          ->type_name("ADDRESS")
          ->check(CLI::Validator(check_address, ""));
  serve
      ->add_option("--token-file", command.token_file,
                   "with tcp: where the token is written that clients need (runtime directory)")
      ->type_name("FILE")
      ->needs(listen);
  serve
      ->add_option("--idle", command.idle,
                   "with --listen: end when no client has been there for so long (0: stay)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0U, 1U << 30))
      ->needs(listen);
  add_programs(*serve, command.server.programs);
  serve->footer(
      "Exit codes: 0 after Goodbye, or idleness; 1 if the client went away without Goodbye; 2\n"
      "usage or set-up error; 3 if another server listens there.");
  return serve;
}

void add_init(CLI::App& app, InitCommand& command) {
  auto* const init = app.add_subcommand(
      "init", "Write a .testr.conf: `hearth run` and `testr run` then know the programs");
  add_server_options(*init, command.server);
  init->add_option("-C,--directory", command.directory,
                   "where the file is written, and the servers start (here)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  init->add_flag("--add", command.add, "add what is needed to a file that is there already");
  add_programs(*init, command.server.programs);
  init->footer(
      "The options are written down for the server. A file with a server_command is left alone.\n"
      "Exit codes: 0 written, 2 usage error, or it cannot be written.");
}

CLI::App* add_check(CLI::App& app, CheckCommand& command) {
  auto* const check = app.add_subcommand(
      "check", "Can a program be served, and are its verdicts the same as without Hearth?");
  add_server_options(*check, command.server);
  check->add_flag("--compare", command.compare,
                  "run each test through Hearth, and the program by itself; print the differences");
  check
      ->add_option(
          "--plain-results", command.plain_results,
          "with --compare: do not run the program; FILE has a line `ID STATUS` for each test\n"
          "(needed where the program is neither GoogleTest's nor doctest's)")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  check
      ->add_option("--expected", command.expected,
                   "with --compare: differences that are in order, a line `ID -- REASON` for each")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  add_programs(*check, command.server.programs);
  check->footer(
      "ARGUMENTs are the program's, through Hearth and by itself.\n"
      "Exit codes: 0 it can be served (and no difference but expected ones), 1 it cannot (or\n"
      "there are others), 2 usage or set-up error, 3 the server was lost.");
  return check;
}

std::shared_ptr<HelpFormatter> make_formatter() {
  auto formatter = std::make_shared<HelpFormatter>();
  formatter->usages = {
      {"hearth", "hearth COMMAND [OPTION]..."},
      {"serve", "hearth serve [OPTION]... PROGRAM..."},
      {"list", "hearth list [OPTION]... [PROGRAM...] [-- REGEX...]"},
      {"run", "hearth run [OPTION]... [PROGRAM...] [-- REGEX...]"},
      {"stream", "hearth stream [OPTION]... [ID...]"},
      {"last", "hearth last [OPTION]..."},
      {"failing", "hearth failing [OPTION]..."},
      {"slowest", "hearth slowest [OPTION]... [N]"},
      {"history", "hearth history [OPTION]... TEST"},
      {"flaky", "hearth flaky [OPTION]..."},
      {"attach",
       "hearth attach [OPTION]... [ADDRESS] [-- COMMAND...]\n"
       "       hearth attach --start [OPTION]... ADDRESS -- ARGUMENT...\n"
       "       hearth attach --console [OPTION]... -- COMMAND..."},
      {"status", "hearth status [OPTION]... [ADDRESS]"},
      {"init", "hearth init [OPTION]... PROGRAM..."},
      {"check", "hearth check [OPTION]... PROGRAM [-- ARGUMENT...]"},
  };
  formatter->column_width(28);
  formatter->label("REQUIRED", "");
  return formatter;
}

// Cuts what follows the first `--` off `arguments`.
std::vector<std::string> take_rest(std::vector<std::string>& arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) return {};
  std::vector<std::string> rest(std::next(dashes), arguments.end());
  arguments.erase(dashes, arguments.end());
  return rest;
}

// The word behind --shuffle is a PROGRAM: CLI11 would take it for the seed.
void keep_programs_from_shuffle(std::vector<std::string>& arguments) {
  std::replace(arguments.begin(), std::find(arguments.begin(), arguments.end(), "--"),
               std::string("--shuffle"), "--shuffle=" + std::string(any_seed));
}

tl::unexpected<ParseEnd> usage_error(const std::string& text) {
  return tl::make_unexpected(ParseEnd{2, "hearth: " + text + "\n"});
}

// `text` with one newline at its end.
std::string one_newline(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text + "\n";
}

// What is wrong with the first word, if it is no command.
std::optional<std::string> unknown_command(const CLI::App& app,
                                           const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return std::nullopt;
  std::string known;
  for (const auto* const command : app.get_subcommands({})) {
    if (command->get_name() == arguments.front()) return std::nullopt;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  return "there is no command '" + arguments.front() + "'; the commands are " + known;
}

// What stestr gives a Python interpreter: `-m stestr.subunit_runner.run discover -t TOP PATH`,
// before options that are ours too.
void drop_interpreter_words(std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front() != "stream") return;
  const auto first = std::find(arguments.begin(), arguments.end(), "-m");
  auto last = first;
  const auto skip = [&](std::string_view word, std::ptrdiff_t words) {
    if (last != arguments.end() && *last == word) last += std::min(words, arguments.end() - last);
  };
  skip("-m", 2);
  skip("discover", 1);
  skip("-t", 3);
  arguments.erase(first, last);
}

tl::expected<Command, ParseEnd> finish_run(RunCommand command) {
  const auto& project = command.project;
  if (project.server_command && !project.server.programs.empty())
    return usage_error("--server and PROGRAMs are two answers to where the tests are; give one");
  if (command.until_failure && command.repeat != 1)
    return usage_error(
        "--until-failure repeats until a test fails; --repeat says how often. Give one");
  if (command.analyze_isolation && command.isolated)
    return usage_error(
        "--analyze-isolation runs tests in one process, --isolated each in its own; give one");
  return command;
}

tl::expected<Command, ParseEnd> finish_check(CheckCommand command) {
  if (command.server.programs.size() != 1)
    return usage_error("check takes one program; the program's own arguments stand behind --");
  if (!command.compare && (command.plain_results || command.expected))
    return usage_error("--plain-results and --expected mean something with --compare only");
  return command;
}

}  // namespace

tl::expected<Command, ParseEnd> parse_command_line(std::vector<std::string> arguments) {
  CLI::App app("Keeps C++ test programs warm: each test runs in a fork of its loaded program.",
               "hearth");
  app.formatter(make_formatter());
  app.set_help_flag("-h,--help", "this text");
  app.require_subcommand(1);
  app.set_version_flag("--version", "hearth " HEARTH_VERSION, "the version");
  app.footer("`hearth COMMAND --help` tells more of each.");
  Parsed parsed;
  const auto* const serve = add_serve(app, parsed.serve);
  const auto* const list = add_list(app, parsed.list);
  const auto* const run = add_run(app, parsed.run);
  const auto* const stream = add_stream(app, parsed.stream);
  add_check(app, parsed.check);
  add_init(app, parsed.init);
  add_history_commands(app, parsed.history);
  const auto* const attach = add_attach(app, parsed.attach);
  const auto* const status = add_status(app, parsed.status);

  if (arguments.empty()) return usage_error("a command is missing; `hearth --help` lists them");
  if (auto unknown = unknown_command(app, arguments)) return usage_error(*unknown);
  drop_interpreter_words(arguments);
  keep_programs_from_shuffle(arguments);
  // What these have behind `--` is theirs.
  const bool of_history = !arguments.empty() && is_history_command(arguments.front());
  auto rest = of_history ? std::vector<std::string>() : take_rest(arguments);
  // Behind `--` of these stand programs, like those before it, whatever they begin with.
  const bool serves =
      !arguments.empty() && (arguments.front() == "serve" || arguments.front() == "init");
  if (serves && !rest.empty())
    app.get_subcommand(arguments.front())->get_option("PROGRAM")->required(false);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    if (code != 0) return tl::make_unexpected(ParseEnd{2, one_newline("hearth: " + err.str())});
    return tl::make_unexpected(ParseEnd{0, one_newline(out.str())});
  }
  if (serve->parsed()) {
    auto& programs = parsed.serve.server.programs;
    programs.insert(programs.end(), rest.begin(), rest.end());
    return parsed.serve;
  }
  if (app.got_subcommand("init")) {
    auto& programs = parsed.init.server.programs;
    programs.insert(programs.end(), rest.begin(), rest.end());
    return parsed.init;
  }
  if (list->parsed()) {
    parsed.list.patterns = std::move(rest);
    return parsed.list;
  }
  if (run->parsed()) {
    parsed.run.selection.patterns = std::move(rest);
    return finish_run(std::move(parsed.run));
  }
  if (stream->parsed()) {
    parsed.stream.ids.insert(parsed.stream.ids.end(), rest.begin(), rest.end());
    return parsed.stream;
  }
  if (attach->parsed()) {
    auto command = finish_attach(parsed.attach, std::move(rest));
    if (!command) return usage_error(command.error());
    return *command;
  }
  if (status->parsed()) return parsed.status;
  if (auto command = history_command(app, parsed.history)) return std::move(*command);
  parsed.check.arguments = std::move(rest);
  return finish_check(std::move(parsed.check));
}

}  // namespace hearth::client
