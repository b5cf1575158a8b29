// `hearth list`: the ids of tests on stdout, everything else on stderr.
#include <cerrno>
#include <cstring>

#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/selection.hpp"

namespace hearth::client {
namespace {

class ListObserver : public Observer {
 public:
  void on_note(std::string_view line) override { m_notes(std::string(line) + "\n"); }

 private:
  Writer m_notes = descriptor_writer(STDERR_FILENO);
};

}  // namespace

int list(const ListCommand& command, const std::string& executable) {
  const auto selector = Selector::make(command.patterns);
  if (!selector) return fail_setup(selector.error().text());
  ListObserver observer;
  SessionPlan plan;
  plan.grace = grace_of(command.server);
  auto end = run_session(serve_command_line(executable, command.server), std::move(plan), observer);
  if (!end) return fail_setup(end.error().text());
  if (end->refused) return fail_setup("the server could not begin: " + *end->refused);
  if (end->outcome.lost)
    observer.on_note("hearth: the server was lost before its list was complete: " +
                     *end->outcome.lost);
  if (exit_code(end->outcome) != ExitCode::success) return as_int(exit_code(end->outcome));

  const auto ids = selector->select(std::move(end->listed));
  std::string text;
  for (const auto& id : ids) text += id + "\n";
  if (!write_all(STDOUT_FILENO, text))
    return fail_setup(Error{"write the list to stdout", std::strerror(errno), ""}.text());
  return as_int(ids.empty() ? ExitCode::nothing_selected : ExitCode::success);
}

}  // namespace hearth::client
