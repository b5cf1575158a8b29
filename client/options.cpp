#include "client/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <sstream>

namespace hearth::client {
namespace {

constexpr const char* program_help =
    "a test program: a path, NAME=PATH, or a quoted command line with arguments";

constexpr const char* exit_codes =
    "Exit codes: 0 all passed, 1 failures, 2 usage or set-up error, 3 a server was lost and\n"
    "results are missing, 4 nothing selected, 130 interrupted.";

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

std::string check_assignment(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return "'" + text + "' is not of the form K=V";
  return {};
}

void add_server_options(CLI::App& app, ServerSettings& server) {
  app.add_option("-j,--jobs", server.jobs, "tests at a time (the CPUs that may be used)")
      ->type_name("N")
      ->check(CLI::Range(1U, 100'000U));
  app.add_option("--timeout", server.timeout, "time limit of a test (600; 0: none)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--grace", server.grace, "time between TERM and KILL (2)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--load-timeout", server.load_timeout,
                 "time for a program to load and to list its tests (60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e9));
  app.add_option("--output-limit", server.output_limit,
                 "output kept of each test, for stdout and stderr each (16; 0: all)")
      ->type_name("MIB")
      ->check(CLI::Range(0U, 1U << 30));
  app.add_option("--leaks", server.leaks,
                 "what a test is that leaves processes behind: ok, fail (ok)")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"ok", "fail"}));
  app.add_option("--cwd", server.cwd, "directory that the programs start in (this one)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  app.add_option("--env", server.environment, "set a variable for the programs; may be repeated")
      ->type_name("K=V")
      ->allow_extra_args(false)
      ->check(CLI::Validator(check_assignment, ""));
}

void add_programs(CLI::App& app, std::vector<std::string>& programs) {
  app.add_option("PROGRAM", programs, program_help)->type_name("")->required();
}

struct Parsed {
  ServeCommand serve;
  ListCommand list;
  RunCommand run;
  CheckCommand check;
};

CLI::App* add_serve(CLI::App& app, ServeCommand& command) {
  auto* const serve = app.add_subcommand(
      "serve", "Serve test programs: the test-server RPC on stdin and stdout, in subunit v2");
  add_server_options(*serve, command.server);
  add_programs(*serve, command.server.programs);
  serve->footer(
      "Exit codes: 0 after Goodbye, 1 if the client went away without it, 2 usage or set-up "
      "error.");
  return serve;
}

CLI::App* add_list(CLI::App& app, ListCommand& command) {
  auto* const list = app.add_subcommand("list", "List the tests of programs, one id a line");
  add_server_options(*list, command.server);
  add_programs(*list, command.server.programs);
  list->footer("With REGEX: the ids in which any of them is found (Perl's syntax).\n" +
               std::string(exit_codes));
  return list;
}

CLI::App* add_run(CLI::App& app, RunCommand& command) {
  auto* const run = app.add_subcommand("run", "Run tests of programs");
  add_server_options(*run, command.server);
  run->add_option("--load-list", command.load_list,
                  "run the tests whose ids FILE has, one a line (- : stdin)")
      ->type_name("FILE");
  run->add_option(
         "--subunit", command.subunit,
         "write the results as a subunit v2 stream (- : stdout; the rest then goes to stderr)")
      ->type_name("FILE");
  run->add_flag("-v,--verbose", command.every_result,
                "a line for every test, not only for failures");
  add_programs(*run, command.server.programs);
  run->footer(
      "With REGEX: the tests in whose id any of them is found (Perl's syntax); with --load-list\n"
      "too, of those in FILE. Ctrl-C ends the run in good order; once more, at once.\n" +
      std::string(exit_codes));
  return run;
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
      {"hearth", "hearth COMMAND [OPTION]... PROGRAM..."},
      {"serve", "hearth serve [OPTION]... PROGRAM..."},
      {"list", "hearth list [OPTION]... PROGRAM... [-- REGEX...]"},
      {"run", "hearth run [OPTION]... PROGRAM... [-- REGEX...]"},
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
  add_check(app, parsed.check);

  if (arguments.empty()) return usage_error("a command is missing; `hearth --help` lists them");
  if (auto unknown = unknown_command(app, arguments)) return usage_error(*unknown);
  auto rest = take_rest(arguments);
  // Behind `--` of serve stand programs, like those before it, whatever they begin with.
  const bool serves = !arguments.empty() && arguments.front() == "serve";
  if (serves && !rest.empty()) app.get_subcommand("serve")->get_option("PROGRAM")->required(false);
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
  if (list->parsed()) {
    parsed.list.patterns = std::move(rest);
    return parsed.list;
  }
  if (run->parsed()) {
    parsed.run.patterns = std::move(rest);
    return parsed.run;
  }
  parsed.check.arguments = std::move(rest);
  return finish_check(std::move(parsed.check));
}

std::vector<std::string> serve_command_line(const std::string& executable,
                                            const ServerSettings& settings) {
  std::vector<std::string> command{executable, "serve"};
  const auto add = [&](const char* option, const auto& value) {
    if (!value) return;
    std::ostringstream text;
    text.precision(15);
    text << *value;
    command.insert(command.end(), {option, text.str()});
  };
  add("--jobs", settings.jobs);
  add("--timeout", settings.timeout);
  add("--grace", settings.grace);
  add("--load-timeout", settings.load_timeout);
  add("--output-limit", settings.output_limit);
  add("--leaks", settings.leaks);
  if (!settings.cwd.empty()) command.insert(command.end(), {"--cwd", settings.cwd});
  for (const auto& variable : settings.environment)
    command.insert(command.end(), {"--env", variable});
  command.emplace_back("--");
  command.insert(command.end(), settings.programs.begin(), settings.programs.end());
  return command;
}

}  // namespace hearth::client
