// The commands that list and run tests.
#include "client/options/add_options.hpp"

#include <charconv>
#include <map>

namespace hearth::client {
namespace {

std::string parse_partition(const std::string& text, Partition& partition) {
  const std::string wrong =
      "'" + text + "' is not of the form K/N, hash:K/N or duration:K/N, with K from 1 to N";
  std::string_view rest = text;
  const auto colon = rest.find(':');
  const auto kind = colon == rest.npos ? "hash" : rest.substr(0, colon);
  if (kind != "hash" && kind != "duration") return wrong;
  partition.by_duration = kind == "duration";
  if (colon != rest.npos) rest.remove_prefix(colon + 1);
  const auto* const end = rest.data() + rest.size();
  const auto part = std::from_chars(rest.data(), end, partition.part);
  if (part.ec != std::errc() || part.ptr == end || *part.ptr != '/') return wrong;
  const auto parts = std::from_chars(part.ptr + 1, end, partition.parts);
  if (parts.ec != std::errc() || parts.ptr != end) return wrong;
  return partition.part >= 1 && partition.part <= partition.parts ? "" : wrong;
}

void add_selection_options(CLI::App& app, SelectionOptions& selection) {
  auto* const load_list = app.add_option("--load-list", selection.load_list,
                                         "run the tests whose ids FILE has, one a line (- : stdin)")
                              ->type_name("FILE");
  app.add_flag("--failing", selection.failing, "run the tests that failed the last time")
      ->excludes(load_list);
  app.add_flag("--last-failed-first", selection.last_failed_first,
               "run the tests that failed the last time before all others");
  auto* const listed = app.add_flag("--listed-order", selection.listed_order,
                                    "run the tests in the order in which they are listed");
  app.add_flag_callback(
         "--slowest-first", [] {}, "run first what took longest the last time (the default)")
      ->excludes(listed);
  app.add_option_function<std::string>(
         "--partition",
         [&selection](const std::string& text) {
           Partition partition;
           const auto wrong = parse_partition(text, partition);
           if (!wrong.empty()) throw CLI::ValidationError("--partition", wrong);
           selection.partition = partition;
         },
         "run the K-th of N parts of the tests: hash:K/N, the same tests whatever else there is,\n"
         "or duration:K/N, parts that take as long as each other by the same history")
      ->type_name("K/N");
  app.add_option_function<std::string>(
         "--shuffle",
         [&selection](const std::string& text) {
           selection.shuffle = true;
           if (text.empty() || text == any_seed) return;
           std::uint64_t seed = 0;
           const auto* const end = text.data() + text.size();
           const auto read = std::from_chars(text.data(), end, seed);
           if (read.ec != std::errc() || read.ptr != end)
             throw CLI::ValidationError("--shuffle", "the seed '" + text + "' is not a number");
           selection.seed = seed;
         },
         "run them in random order; with SEED, in that seed's (--shuffle=SEED)")
      ->type_name("[SEED]")
      ->expected(0, 1)
      ->allow_extra_args(false);
}

void add_report_options(CLI::App& app, ReportOptions& reports) {
  app.add_option("--subunit", reports.subunit, "write the results as a subunit v2 stream")
      ->type_name("FILE");
  app.add_option("--junit", reports.junit, "write a JUnit XML report")->type_name("FILE");
  app.add_option("--tap", reports.tap, "write the results in TAP")->type_name("FILE");
  app.add_option("--json", reports.json, "write events as JSON, one a line")->type_name("FILE");
  app.add_flag("--github", reports.github, "print failures as GitHub annotations");
}

void add_repetition_options(CLI::App& app, RunCommand& command) {
  app.add_option("--repeat", command.repeat, "run everything that often (1)")
      ->type_name("N")
      ->check(CLI::Range(1U, 1'000'000'000U));
  app.add_flag("--until-failure", command.until_failure,
               "run everything again and again, until a test fails");
  app.add_option_function<std::size_t>(
         "--max-failures", [&command](std::size_t most) { command.max_failures = most; },
         "stop the run after that many failures")
      ->type_name("N")
      ->check(CLI::Range(1U, 1'000'000'000U));
  app.add_flag_callback(
      "-x,--fail-fast", [&command] { command.max_failures = 1; },
      "stop the run at the first failure");
  app.add_option(
         "--retries", command.retries,
         "run a test that fails again, that often at most; one that then passes is flaky (0)")
      ->type_name("N")
      ->check(CLI::Range(0U, 1000U));
  app.add_flag("--isolated", command.isolated, "run each test in a server of its own");
  app.add_flag("--analyze-isolation", command.analyze_isolation,
               "find the fewest tests that make a failing test fail when they run before it in\n"
               "the same process");
}

}  // namespace

CLI::App* add_list(CLI::App& app, ListCommand& command) {
  auto* const list = app.add_subcommand("list", "List the tests of programs, one id a line");
  add_project_options(*list, command.project);
  list->footer("With REGEX: the ids in which any of them is found (Perl's syntax).\n" +
               std::string(run_exit_codes));
  return list;
}

CLI::App* add_run(CLI::App& app, RunCommand& command) {
  auto* const run = app.add_subcommand("run", "Run the tests of a project, or of programs");
  add_project_options(*run, command.project);
  add_selection_options(*run, command.selection);
  add_repetition_options(*run, command);
  run->add_option("--servers", command.servers, "servers at a time, each with its own --jobs (1)")
      ->type_name("N")
      ->check(CLI::Range(1U, 10'000U));
  run->add_option("--start-timeout", command.start_timeout, "time for a server to say Hello (10)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e6));
  add_report_options(*run, command.reports);
  run->add_flag_callback(
      "--no-history", [&command] { command.history = false; },
      "neither read nor write the project's history");
  run->add_flag("-v,--verbose", command.every_result,
                "a line for every test, not only for failures");
  run->add_option("--color", command.color, "auto, always or never (auto)")
      ->type_name("WHEN")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, ColorChoice>{{"auto", ColorChoice::automatic},
                                             {"always", ColorChoice::always},
                                             {"never", ColorChoice::never}}));
  run->footer(
      "With REGEX: the tests in whose id any of them is found (Perl's syntax); with --load-list\n"
      "too, of those in FILE. FILE - of a report is stdout; the rest then goes to stderr. Ctrl-C\n"
      "ends the run in good order; once more, at once. The key t, or SIGUSR1, tells what runs.\n" +
      std::string(run_exit_codes));
  return run;
}

CLI::App* add_stream(CLI::App& app, StreamCommand& command) {
  auto* const stream =
      app.add_subcommand("stream", "Run tests for testr or stestr: a subunit v2 stream on stdout");
  add_project_options(*stream, command.project);
  stream->remove_option(stream->get_option("PROGRAM"));
  stream->add_flag("--list", command.list, "list the tests instead of running them");
  stream
      ->add_option("--load-list", command.load_list,
                   "run the tests whose ids FILE has, in its order")
      ->type_name("FILE");
  stream->add_option("ID", command.ids, "run these tests, in this order")->type_name("");
  stream->footer(
      "As testr's test_command: test_command=hearth stream $LISTOPT $IDOPTION, with "
      "test_list_option\n"
      "--list and test_id_option --load-list $IDFILE. For stestr: PYTHON='hearth stream' stestr "
      "run.\n"
      "Exit codes: 0 also where tests fail, 2 usage or set-up error, 3 a server was lost and "
      "results\n"
      "are missing.");
  return stream;
}

}  // namespace hearth::client
