// `hearth list`: the ids of tests on stdout, everything else on stderr.
#include <cerrno>
#include <cstring>

#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/project/servers.hpp"
#include "client/run/selection.hpp"
#include "server/program_words.hpp"

namespace hearth::client {
namespace {

class ListObserver : public RunListener {
 public:
  void on_note(std::string_view line) override {
    if (!server::is_quiet_line(line)) m_notes(std::string(line) + "\n");
  }

 private:
  Writer m_notes = descriptor_writer(STDERR_FILENO);
};

}  // namespace

int list(const ListCommand& command, const std::string& executable) {
  const auto selector = Selector::make(command.patterns);
  if (!selector) return fail_setup(selector.error().text());
  const auto servers = find_servers(command.project, executable, 1);
  if (!servers) return fail_setup(servers.error().text());
  ListObserver observer;
  RunPlan plan;
  plan.servers = servers->commands;
  plan.filter_tags = servers->filter_tags;
  plan.patience.grace = grace_of(command.project.server);
  auto end = run_tests(std::move(plan), observer);
  if (!end) return fail_setup(end.error().text());
  if (end->refused) return fail_setup("the server could not begin: " + *end->refused);
  if (end->outcome.lost)
    observer.on_note("hearth: the server was lost before its list was complete: " +
                     *end->outcome.lost);
  for (const auto& doubt : end->outcome.doubts) observer.on_note("hearth: " + doubt);
  if (exit_code(end->outcome) != ExitCode::success) return as_int(exit_code(end->outcome));

  const auto ids = selector->select(std::move(end->listed));
  std::string text;
  for (const auto& id : ids) text += id + "\n";
  if (!write_all(STDOUT_FILENO, text))
    return fail_setup(Error{"write the list to stdout", std::strerror(errno), ""}.text());
  return as_int(ids.empty() ? ExitCode::nothing_selected : ExitCode::success);
}

}  // namespace hearth::client
