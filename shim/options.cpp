#include "shim/options.hpp"

#include <string_view>

namespace hearth::shim {
namespace {

tl::unexpected<Error> refuse(std::string cause) {
  return tl::unexpected(
      Error{"read the command line", std::move(cause), "hearth-shim --help shows what there is"});
}

// Takes the value of the option at `at`, which is `--name VALUE` or `--name=VALUE`.
std::optional<std::string> take_value(std::string_view name, std::span<char* const> arguments,
                                      std::size_t& at) {
  const std::string_view word = arguments[at];
  if (word.size() > name.size() && word[name.size()] == '=')
    return std::string(word.substr(name.size() + 1));
  if (at + 1 >= arguments.size()) return std::nullopt;
  return std::string(arguments[++at]);
}

Expected<void> check(const Options& options) {
  if (options.help) return {};
  if (options.connect && options.listen) return refuse("--connect and --listen exclude each other");
  if (options.server.empty() && !options.connect)
    return refuse("there is no server: -- SERVER ARGS");
  if (options.token_file && !options.connect && !options.listen)
    return refuse("--token-file belongs to --connect or --listen");
  if (!options.forwards.empty() && !options.console)
    return refuse("--forward belongs to --console");
  return {};
}

}  // namespace

const char usage[] =
    R"(usage: hearth-shim [--connect ADDRESS | --listen ADDRESS] [--token-file FILE] -- SERVER ARGS...
       hearth-shim --connect ADDRESS [--token-file FILE]

Stands between a client and a test server, so that nothing but the protocol is on stdout: what the
server prints arrives as attachments, and how it died as well. ADDRESS: unix:PATH or
tcp:127.0.0.1:PORT.

  -- SERVER ARGS...      run the server; the client is on stdin and stdout
  --connect ADDRESS      join stdin and stdout to a server that listens there;
                         with a SERVER: run it, and take who listens there for the client
  --listen ADDRESS       say on stdout, in a packet, where a client is waited for, and serve one
  --console              stdin and stdout are a terminal or console: speak with hearth attach
                         --console in lines that survive it, from when it calls
  --forward TARGET       with --console: let the caller have connections made to TARGET, which is
                         ADDRESS:PORT, localhost:PORT or unix:PATH; may be repeated
  --token-file FILE      --connect: holds the token to send; --listen: gets the token to ask for

Exit status: the server's, 128 and its signal, 127 where it cannot be found, 126 where it cannot be
started; 2 for a wrong command line or address. Without a server of its own: 0 after the client's
Goodbye, otherwise 1.
)";

Expected<Options> parse_options(std::span<char* const> arguments) {
  Options options;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    const std::string_view word = arguments[at];
    const std::string_view name = word.substr(0, word.find('='));
    if (word == "--") {
      options.server.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                            arguments.end());
      break;
    }
    if (word == "--help" || word == "-h") {
      options.help = true;
    } else if (name == "--connect" || name == "--listen") {
      const auto value = take_value(name, arguments, at);
      if (!value) return refuse(std::string(name) + " needs an ADDRESS");
      auto address = transport::parse_address(*value);
      if (!address) return tl::unexpected(address.error());
      (name == "--connect" ? options.connect : options.listen) = std::move(*address);
    } else if (word == "--console") {
      options.console = true;
    } else if (name == "--forward") {
      auto target = take_value(name, arguments, at);
      if (!target) return refuse("--forward needs a TARGET");
      options.forwards.push_back(std::move(*target));
    } else if (name == "--token-file") {
      options.token_file = take_value(name, arguments, at);
      if (!options.token_file) return refuse("--token-file needs a FILE");
    } else {
      return refuse("'" + std::string(word) + "' is none of its options" +
                    (word.substr(0, 1) == "-" ? "" : "; a server comes behind --"));
    }
  }
  if (auto checked = check(options); !checked) return tl::unexpected(checked.error());
  return options;
}

}  // namespace hearth::shim
