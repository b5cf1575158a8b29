// Servers that stay, and servers behind tunnels.
#include "client/options/add_options.hpp"
#include "transport/address.hpp"

namespace hearth::client {
namespace {

using How = AttachCommand::How;

std::string check_address_to_meet(const std::string& text) {
  const auto address = transport::parse_address(text);
  if (!address) return address.error().text();
  const auto* const tcp = std::get_if<transport::TcpAddress>(&*address);
  if (tcp != nullptr && tcp->port == 0) return text + ": the port must be a number above 0";
  return {};
}

CLI::Option* add_address(CLI::App& app, std::string& address,
                         std::optional<std::string>& token_file) {
  app.add_option("--token-file", token_file,
                 "the server's token (TCP: the file that it writes by default)")
      ->type_name("FILE");
  return app
      .add_option("ADDRESS", address,
                  "unix:PATH, or tcp:127.0.0.1:PORT; none: this project's server")
      ->type_name("")
      ->check(CLI::Validator(check_address_to_meet, ""));
}

void add_directory(CLI::App& app, std::string& directory) {
  app.add_option("-C,--directory", directory, "without ADDRESS: the project's directory (this one)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
}

void add_console(CLI::App& app, AttachOptions& options) {
  app.add_flag("--console", options.on_console,
               "without ADDRESS: COMMAND's terminal, serial line or console is the tunnel");
  app.add_option("--type", options.console.lines,
                 "with --console: a line to type first, such as the one that starts\n"
                 "`hearth-shim --console` at a shell's prompt; may be repeated")
      ->type_name("LINE")
      ->allow_extra_args(false);
  app.add_option("--forward", options.console.forwards,
                 "with --console: what connects to LISTEN here is forwarded to TARGET there\n"
                 "(HOST:PORT, unix:PATH); may be repeated")
      ->type_name("LISTEN=TARGET")
      ->allow_extra_args(false);
}

std::string what_is_wrong(const AttachOptions& options, bool has_words) {
  const auto& console = options.console;
  const bool of_a_server = options.start || options.listen || options.command.token_file;
  if (options.on_console && (of_a_server || !options.command.address.empty()))
    return "--console is a tunnel of its own: no ADDRESS, --start, --listen or --token-file";
  if (options.on_console && !has_words)
    return "attach --console needs a command behind -- that brings the console";
  if (!options.on_console && (!console.lines.empty() || !console.forwards.empty()))
    return "--type and --forward mean something with --console only";
  const bool of_the_project = !options.on_console && options.command.address.empty();
  if (of_the_project && (of_a_server || options.idle || has_words))
    return "attach needs an ADDRESS here: unix:PATH, or tcp:127.0.0.1:PORT";
  if (!of_the_project && options.command.directory != ".")
    return "-C says whose server is meant; an ADDRESS or --console says it too. Give one";
  if (options.start && options.listen)
    return "--start starts a server here, --listen waits for one from elsewhere; give one";
  if (options.start && !has_words)
    return "attach --start needs the arguments of `hearth serve` behind --";
  if (options.listen && !has_words)
    return "attach --listen needs a command behind -- that brings the server";
  if (options.idle && !options.start) return "--idle means something with --start only";
  return {};
}

}  // namespace

CLI::App* add_attach(CLI::App& app, AttachOptions& options) {
  auto* const attach = app.add_subcommand(
      "attach",
      "Join stdin and stdout to a server that listens, starting it where it is not there");
  (void)add_address(*attach, options.command.address, options.command.token_file);
  attach->add_flag("--start", options.start,
                   "start `hearth serve --listen ADDRESS ARGUMENT...` where no server is there");
  attach
      ->add_option(
          "--idle", options.idle,
          "with --start: the server ends when no client has been there for so long (3600;\n"
          "0: it stays)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0U, 1U << 30));
  attach->add_flag("--listen", options.listen,
                   "listen, run COMMAND, and take the server that connects");
  add_console(*attach, options);
  add_directory(*attach, options.command.directory);
  attach->footer(
      "COMMAND brings a tunnel, and ends with it: its standard input ends, then it gets TERM. "
      "With\n"
      "it, and without --listen: connects when it says (hearth-shim --listen) that there is a "
      "server.\n"
      "Exit codes: 0 after the client's Goodbye, 1 if the connection ended without one, or there\n"
      "was none, 2 usage error.");
  return attach;
}

CLI::App* add_status(CLI::App& app, StatusCommand& command) {
  auto* const status =
      app.add_subcommand("status", "Show what a server that listens has, and what it does");
  add_address(*status, command.address, command.token_file);
  add_directory(*status, command.directory);
  status->add_flag("--json", command.json, "as one JSON document");
  status->footer(
      "Exit codes: 0 shown, 1 there is no server, 2 usage error, or the server does not answer.");
  return status;
}

tl::expected<Command, std::string> finish_attach(AttachOptions options,
                                                 std::vector<std::string> words) {
  if (auto wrong = what_is_wrong(options, !words.empty()); !wrong.empty())
    return tl::make_unexpected(std::move(wrong));
  if (options.on_console) {
    options.console.words = std::move(words);
    return options.console;
  }
  auto& command = options.command;
  command.how = options.start ? How::start : options.listen ? How::listen : How::connect;
  command.idle = options.idle.value_or(command.idle);
  command.words = std::move(words);
  return command;
}

}  // namespace hearth::client
