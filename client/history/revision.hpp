// Tells whether what is tested has changed between two runs.
#pragma once

#include <string>
#include <vector>

namespace hearth::client {

// Of the files that the servers' command lines name (programs above all): their paths, sizes and
// times. Empty where they name none: behind ssh, or in a container, nothing is known. Files that
// come into play in other ways, as shared libraries do, are not seen.
[[nodiscard]] std::string revision_of(const std::vector<std::vector<std::string>>& commands);

}  // namespace hearth::client
