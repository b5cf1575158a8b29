// `hearth check`: can a program be served; are its verdicts the same as without Hearth?
#include "client/command_support.hpp"
#include "client/commands.hpp"

namespace hearth::client {

int check(const CheckCommand&, const std::string&) {
  return fail_setup("check: to come");
}

}  // namespace hearth::client
