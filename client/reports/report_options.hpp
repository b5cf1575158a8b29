// Which reports of a run are written, and where: paths, "-" for stdout.
#pragma once

#include <optional>
#include <string>

namespace hearth::client {

struct ReportOptions {
  std::optional<std::string> subunit;
  std::optional<std::string> junit;
  std::optional<std::string> tap;
  std::optional<std::string> json;
  bool github = false;  // annotations, and the summary of the job
};

}  // namespace hearth::client
