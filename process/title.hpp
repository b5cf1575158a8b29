// What `ps`, `top` and their like call this process.
#pragma once

#include <string>

namespace hearth::process {

// `name`: at most 15 bytes are shown (ps -e, top). `command_line`: in the place of the words that
// the process was started with, as far as it fits there (ps -f); who still reads argv finds it too.
void set_title(const std::string& name, const std::string& command_line);

}  // namespace hearth::process
