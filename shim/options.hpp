// The shim's command line.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::shim {

struct Options {
  bool help = false;
  std::optional<transport::Address> connect;
  std::optional<transport::Address> listen;
  std::optional<std::string> token_file;
  bool console = false;
  std::vector<std::string> forwards;  // with console: what may be connected to
  std::vector<std::string> server;    // a command; empty: none
};

[[nodiscard]] Expected<Options> parse_options(std::span<char* const> arguments);

extern const char usage[];

}  // namespace hearth::shim
