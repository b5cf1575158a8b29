// `hearth last`, `failing`, `slowest`, `history`, `flaky`: what is remembered of earlier runs.
#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/history/flakiness.hpp"
#include "client/history/repository.hpp"
#include "client/history/v2_writer.hpp"
#include "client/show/history_text.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

// Of the newest runs; older ones say little about the tests of today.
constexpr std::size_t runs_looked_at = 100;
constexpr std::size_t written_at_once = std::size_t{64} * 1024;  // bytes

class Output {
 public:
  ~Output() { flush(); }
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  void write(std::string_view text) {
    m_text += text;
    if (m_text.size() >= written_at_once) flush();
  }
  void flush() {
    m_writer(m_text);
    m_text.clear();
  }

 private:
  Writer m_writer = descriptor_writer(STDOUT_FILENO);
  std::string m_text;
};

struct LastRun {
  std::unique_ptr<Repository> repository;
  StoredRun run;
};

Expected<LastRun> find_last(const std::string& directory) {
  auto repository = Repository::open(directory, false);
  if (!repository) return tl::unexpected(repository.error());
  auto runs = (*repository)->runs();
  if (!runs) return tl::unexpected(runs.error());
  if (runs->empty())
    return tl::unexpected(Error{"show the last run",
                                "there is none yet in " + (*repository)->description(),
                                "`hearth run` makes one"});
  return LastRun{std::move(*repository), std::move(runs->back())};
}

void say_what_is_lacking(const Repository& repository) {
  const auto lacking = repository.lacking();
  if (!lacking.empty()) descriptor_writer(STDERR_FILENO)("hearth: note: " + lacking + "\n");
}

}  // namespace

int last(const LastCommand& command) {
  const auto last = find_last(command.directory);
  if (!last) return fail_setup(last.error().text());
  Output output;
  RunTotals totals;
  const Paint paint(wants_color(ColorChoice::automatic, color_signs(STDOUT_FILENO)));
  const auto read =
      last->repository->read_run(last->run, Detail::everything, [&](StoredResult&& result) {
        totals.add(result);
        std::string text;
        if (command.subunit)
          append_v2(text, result);
        else if (has_failed(result.status) && !result.retried)
          text = failure_text(as_report(std::move(result)), paint);
        output.write(text);
      });
  if (!read) return fail_setup(read.error().text());
  if (command.subunit) return as_int(ExitCode::success);
  output.write(totals_text(last->run, totals));
  return as_int(totals.counts.failed + totals.counts.lost > 0 ? ExitCode::failures
                                                              : ExitCode::success);
}

int failing(const FailingCommand& command) {
  const auto repository = Repository::open(command.directory, false);
  if (!repository) return fail_setup(repository.error().text());
  Output output;
  const Paint paint(wants_color(ColorChoice::automatic, color_signs(STDOUT_FILENO)));
  const auto detail = command.subunit || command.verbose ? Detail::everything : Detail::verdicts;
  bool any = false;
  const auto read = (*repository)->read_failing(detail, [&](StoredResult&& result) {
    any = true;
    std::string text;
    if (command.subunit)
      append_v2(text, result);
    else if (command.verbose)
      text = failure_text(as_report(std::move(result)), paint);
    else
      text = printable_line(result.id) + "\n";
    output.write(text);
  });
  if (!read) return fail_setup(read.error().text());
  return as_int(any && !command.subunit ? ExitCode::failures : ExitCode::success);
}

int slowest(const SlowestCommand& command) {
  const auto last = find_last(command.directory);
  if (!last) return fail_setup(last.error().text());
  std::vector<TimedTest> tests;
  const auto read =
      last->repository->read_run(last->run, Detail::verdicts, [&](StoredResult&& result) {
        if (result.duration && !result.retried)
          tests.push_back({std::move(result.id), *result.duration});
      });
  if (!read) return fail_setup(read.error().text());
  const auto most = command.all ? tests.size() : command.count;
  Output().write(slowest_text(std::move(tests), most));
  return as_int(ExitCode::success);
}

int history(const HistoryCommand& command) {
  const auto repository = Repository::open(command.directory, false);
  if (!repository) return fail_setup(repository.error().text());
  TestStory story(command.id);
  const auto read =
      (*repository)->read_test(command.id, [&](const StoredRun& run, StoredResult&& result) {
        story.add(run, std::move(result));
      });
  if (!read) return fail_setup(read.error().text());
  if (story.empty())
    return fail_setup("show the history of " + printable_line(command.id) + ": no run in " +
                      (*repository)->description() +
                      " has a test of that id; `hearth slowest --all` shows those of the last run");
  Output().write(story.text());
  return as_int(ExitCode::success);
}

int flaky(const FlakyCommand& command) {
  const auto repository = Repository::open(command.directory, false);
  if (!repository) return fail_setup(repository.error().text());
  const auto runs = (*repository)->runs();
  if (!runs) return fail_setup(runs.error().text());
  FlakinessFinder finder;
  const auto skipped = runs->size() - std::min(runs->size(), runs_looked_at);
  for (std::size_t number = skipped; number < runs->size(); ++number) {
    finder.begin_run((*runs)[number]);
    const auto read =
        (*repository)->read_run((*runs)[number], Detail::verdicts, [&](StoredResult&& result) {
          finder.add(result);
        });
    if (!read) return fail_setup(read.error().text());
  }
  const auto tests = finder.find();
  say_what_is_lacking(**repository);
  Output output;
  if (!tests.empty()) output.write(flaky_text(tests) + "\n");
  output.write(counted(tests.size(), "flaky test") + " in the last " +
               counted(runs->size() - skipped, "run") + "\n");
  return as_int(ExitCode::success);
}

}  // namespace hearth::client
