// The error of every fallible call that is not about a peer's bytes: what was attempted, on what,
// why it failed, and the way out. Printed as "attempted: cause; remedy".
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace hearth {

struct Error {
  std::string attempted;  // "start the test program ./foo_test"
  std::string cause;      // "No such file or directory"
  std::string remedy;     // what the reader can do; may be empty

  [[nodiscard]] std::string text() const {
    return attempted + ": " + cause + (remedy.empty() ? "" : "; " + remedy);
  }
};

template <typename T>
using Expected = tl::expected<T, Error>;

}  // namespace hearth
