// `hearth status`.
#include <nlohmann/json.hpp>

#include "client/attach/status_query.hpp"
#include "client/attach/status_text.hpp"
#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/project/servers.hpp"

namespace hearth::client {

int status(StatusCommand command) {
  if (command.address.empty()) {
    const auto found = find_project_address(command.directory);
    if (!found) return fail_setup("status: " + found.error().text());
    command.address = found->address;
    if (!command.token_file) command.token_file = found->token_file;
  }
  const auto address = transport::parse_address(command.address);
  if (!address) return fail_setup(address.error().text());
  const auto state = query_status(*address, command.token_file);
  if (!state) {
    (void)fail_setup("status: " + state.error().error.text());
    return state.error().absent ? 1 : as_int(ExitCode::trouble);
  }
  const auto text =
      command.json ? state->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                   : status_text(*state);
  if (!write_all(STDOUT_FILENO, text)) return fail_setup("write the state to stdout");
  return as_int(ExitCode::success);
}

}  // namespace hearth::client
