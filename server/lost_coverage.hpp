// What gcov and LLVM's coverage runtime print at a program's end where they could not write their
// counts. It is all they tell: the exit status stays what it was.
#pragma once

#include <string>
#include <string_view>

namespace hearth::server {

// The lines of it that say so, each with its end; empty: nothing was lost. What gcov says when it
// replaces the counts of an older build is no loss.
[[nodiscard]] std::string lost_coverage(std::string_view printed);

}  // namespace hearth::server
