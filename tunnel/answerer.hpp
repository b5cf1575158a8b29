// The far end of a console, `hearth-shim --console`: it owns our stdin and stdout, which are the
// console, and gives whoever serves behind it a stdin, stdout and stderr of its own.
//
// The process is split. The child goes on with descriptors 0, 1 and 2 that are the console's
// channels 0, 0 and 1. The parent speaks the armour until the child has ended and everything has
// arrived at the caller, or nothing more can. If the session breaks, the child's stdin ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/error.hpp"

namespace hearth::tunnel {

struct AnswererOptions {
  std::vector<std::string> forwards;  // the targets that a caller may have connections made to
};

// Descriptors 0 to 2 are open. In the child: nullopt. In the parent, at the end: the exit status:
// the child's, or 128 and the signal that ended it; 1 where the session broke. Says on stderr why,
// the terminal restored.
[[nodiscard]] Expected<std::optional<int>> answer_console(const AnswererOptions& options);

}  // namespace hearth::tunnel
