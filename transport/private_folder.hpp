// Folders that nobody else may enter: where sockets, locks and tokens are.
#pragma once

#include <string>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"

namespace hearth::transport {

// A descriptor (O_PATH) of the folder, which is made with mode 0700, as are those above it, where
// it is missing. An error where it belongs to another user, or where group or others may do
// anything in it.
[[nodiscard]] Expected<UniqueFd> open_private_folder(const std::string& path);

// $XDG_RUNTIME_DIR/hearth, or /tmp/hearth-UID.
[[nodiscard]] std::string runtime_folder();

// "." for a name without a slash.
[[nodiscard]] std::string folder_of(const std::string& path);
[[nodiscard]] std::string name_of(const std::string& path);

}  // namespace hearth::transport
