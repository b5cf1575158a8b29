// The address of a file in a folder as the kernel's socket calls take it: however long the folder's
// path is.
#pragma once

#include <sys/un.h>

#include <optional>
#include <string>

namespace hearth::transport {

// `folder`: a descriptor of the folder. nullopt: the name itself is too long. Its text is valid as
// long as the descriptor is open.
[[nodiscard]] std::optional<sockaddr_un> socket_name(int folder, const std::string& folder_path,
                                                     const std::string& name);

}  // namespace hearth::transport
