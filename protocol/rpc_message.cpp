#include "protocol/rpc_message.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

namespace hearth::protocol {
namespace {

using Json = nlohmann::json;

// The keys that mean something; every other key is Key::unknown.
enum class Key : std::uint8_t { msg, nonce, tests, max, min, exit, unknown };
constexpr std::array<std::string_view, 6> key_names{"msg", "nonce", "tests", "max", "min", "exit"};

Key key_of(std::string_view name) {
  const auto found = std::find(key_names.begin(), key_names.end(), name);
  return static_cast<Key>(found - key_names.begin());
}

std::string_view name_of(Key key) {
  return key_names.at(static_cast<std::size_t>(key));
}

// What was found under the known keys. A value of the wrong type leaves its field absent and its
// key in `wrong`; whether that matters depends on the message's kind, which may come after it.
struct Fields {
  std::array<bool, key_names.size()> seen{};
  std::array<bool, key_names.size()> wrong{};
  std::optional<std::string> msg;
  std::optional<std::string> nonce;
  std::optional<std::vector<std::string>> tests;
  std::optional<std::uint32_t> max;
  std::optional<std::uint32_t> min;
  std::optional<bool> exit;
  bool too_many_ids = false;
  const char* bad_id = nullptr;  // why an id cannot be sent back in a packet
  std::optional<Key> repeated;   // the first one; `msg` and `nonce` go before the others
};

static_assert(max_test_id_size == 65536);

// Collects Fields from nlohmann's parser. Only a fault in the JSON itself, or nesting above the
// limit, stops the parse: a message that is refused for its contents still yields its nonce.
class FieldReader : public nlohmann::json_sax<Json> {
 public:
  Fields fields;
  std::string fault;  // why the parse stopped

  bool null() override { return scalar(); }
  bool boolean(bool value) override {
    if (m_depth != 1 || m_key != Key::exit) return scalar();
    fields.exit = value;
    return true;
  }
  bool number_integer(number_integer_t) override { return scalar(); }  // negative ones only
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return scalar(); }

  bool number_unsigned(number_unsigned_t value) override {
    auto* field = m_depth != 1        ? nullptr
                  : m_key == Key::max ? &fields.max
                  : m_key == Key::min ? &fields.min
                                      : nullptr;
    if (field == nullptr || value > std::numeric_limits<std::uint32_t>::max()) return scalar();
    *field = static_cast<std::uint32_t>(value);
    return true;
  }

  bool string(string_t& value) override {
    if (m_depth == 2 && m_in_tests) return test_id(value);
    auto* field = m_depth != 1          ? nullptr
                  : m_key == Key::msg   ? &fields.msg
                  : m_key == Key::nonce ? &fields.nonce
                                        : nullptr;
    if (field == nullptr) return scalar();
    *field = std::move(value);
    return true;
  }

  bool key(string_t& name) override {
    if (m_depth != 1) return true;
    m_key = key_of(name);
    if (m_key == Key::unknown) return true;
    auto& seen = fields.seen.at(static_cast<std::size_t>(m_key));
    if (seen && (!fields.repeated || m_key <= Key::nonce)) fields.repeated = m_key;
    seen = true;
    return true;
  }

  bool start_object(std::size_t) override {
    if (m_depth > 0) wrong_value();
    return enter();
  }
  bool end_object() override { return leave(); }

  bool start_array(std::size_t) override {
    if (m_depth == 0) return stop("a message is a JSON object, this is an array");
    if (m_depth == 1 && m_key == Key::tests) {
      m_in_tests = true;
      fields.tests.emplace();
    } else {
      wrong_value();
    }
    return enter();
  }
  bool end_array() override {
    if (m_depth == 2) m_in_tests = false;
    return leave();
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    return stop("not valid JSON at byte " + std::to_string(position) + cause_of(error.what()));
  }

 private:
  std::size_t m_depth = 0;
  Key m_key = Key::unknown;  // of the member being read, at depth 1
  bool m_in_tests = false;

  bool stop(std::string why) {
    fault = std::move(why);
    return false;
  }

  bool enter() {
    if (++m_depth <= max_message_depth) return true;
    return stop("nested deeper than " + std::to_string(max_message_depth) + " levels");
  }
  bool leave() {
    --m_depth;
    return true;
  }

  // A value that no known key takes, wherever it stands.
  bool scalar() {
    if (m_depth == 0) return stop("a message is a JSON object, this is a single value");
    wrong_value();
    return true;
  }
  void wrong_value() {
    if (m_depth == 1 && m_key != Key::unknown) mark_wrong(m_key);
    if (m_depth == 2 && m_in_tests) mark_wrong(Key::tests);
  }
  void mark_wrong(Key key) { fields.wrong.at(static_cast<std::size_t>(key)) = true; }

  bool test_id(string_t& value) {
    if (fields.too_many_ids) return true;
    if (fields.tests->size() == max_message_ids) {
      fields.too_many_ids = true;
      fields.tests.emplace().shrink_to_fit();
      return true;
    }
    if (value.size() > max_test_id_size) fields.bad_id = "of more than 65536 bytes";
    if (value.find('\0') != string_t::npos) fields.bad_id = "with U+0000";
    fields.tests->push_back(std::move(value));
    return true;
  }

  // nlohmann's texts read "... - CAUSE; last read: <the peer's bytes>": the cause alone is ours to
  // repeat.
  static std::string cause_of(std::string_view what) {
    const auto start = what.find(" - ");
    if (start == std::string_view::npos) return {};
    const auto cause = what.substr(start + 3, what.find(';', start) - start - 3);
    const bool plain = cause.size() <= 120 && std::all_of(cause.begin(), cause.end(), [](char c) {
                         return c >= ' ' && c <= '~';
                       });
    return plain ? ": " + std::string(cause) : std::string();
  }
};

using Parsed = tl::expected<Message, MessageError>;

Parsed refuse(std::string reason, std::optional<std::string> nonce = std::nullopt) {
  return tl::unexpected(MessageError{std::move(reason), std::move(nonce)});
}

bool is_wrong(const Fields& fields, Key key) {
  return fields.wrong.at(static_cast<std::size_t>(key));
}

std::string quoted(std::string_view name) {
  return '"' + std::string(name) + '"';
}

Parsed make_hello(const Fields& fields) {
  if (!fields.max || !fields.min)
    return refuse("Hello needs \"max\" and \"min\", whole numbers from 0 to 4294967295");
  if (*fields.min > *fields.max) return refuse("Hello has a \"min\" above its \"max\"");
  return Hello{{*fields.max, *fields.min}};
}

// The nonce's own faults, for the messages that need one.
std::optional<std::string> nonce_fault(const Fields& fields, std::string_view kind) {
  const std::string who(kind);
  if (is_wrong(fields, Key::nonce)) return who + " has a \"nonce\" that is not a string";
  if (!fields.nonce) return who + " has no \"nonce\"";
  if (fields.nonce->size() > max_nonce_size)
    return who + " has a \"nonce\" of more than " + std::to_string(max_nonce_size) + " bytes";
  return std::nullopt;
}

template <typename Command>
Parsed make_command(Fields& fields, std::string_view kind) {
  if (auto fault = nonce_fault(fields, kind)) return refuse(std::move(*fault));
  if (fields.repeated)
    return refuse(
        std::string(kind) + " has the key " + quoted(name_of(*fields.repeated)) + " twice",
        std::move(fields.nonce));
  if (is_wrong(fields, Key::tests))
    return refuse(std::string(kind) + " has a \"tests\" that is not an array of strings",
                  std::move(fields.nonce));
  if (fields.bad_id != nullptr)
    return refuse(
        std::string(kind) + " has a test id " + fields.bad_id + ", which no packet can carry",
        std::move(fields.nonce));
  if (fields.too_many_ids)
    return refuse(std::string(kind) + " names more than " + std::to_string(max_message_ids) +
                      " tests; split it, or leave \"tests\" out for all",
                  std::move(fields.nonce));
  return Command{std::move(fields.tests), std::move(*fields.nonce)};
}

Parsed make_run(Fields& fields) {
  auto run = make_command<Run>(fields, "Run");
  if (!run) return run;
  if (is_wrong(fields, Key::exit))
    return refuse("Run has an \"exit\" that is neither true nor false",
                  std::move(std::get<Run>(*run).nonce));
  std::get<Run>(*run).exit = fields.exit.value_or(true);
  return run;
}

Parsed make_done(Fields& fields) {
  if (auto fault = nonce_fault(fields, "Done")) return refuse(std::move(*fault));
  return Done{std::move(*fields.nonce)};
}

Parsed make_message(Fields& fields) {
  // Without one kind and one nonce there is nobody to send a Done to.
  if (fields.repeated == Key::msg || fields.repeated == Key::nonce)
    return refuse("the key " + quoted(name_of(*fields.repeated)) + " is there twice");
  if (is_wrong(fields, Key::msg)) return refuse("\"msg\" is not a string");
  if (!fields.msg) return refuse("there is no \"msg\"");
  if (*fields.msg == "List") return make_command<List>(fields, "List");
  if (*fields.msg == "Run") return make_run(fields);
  if (fields.repeated)
    return refuse("the key " + quoted(name_of(*fields.repeated)) + " is there twice");
  if (*fields.msg == "Hello") return make_hello(fields);
  if (*fields.msg == "Done") return make_done(fields);
  if (*fields.msg == "Goodbye") return Goodbye{};
  return refuse("unknown \"msg\"; version 1 has Hello, Goodbye, List, Run and Done");
}

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_tests(std::string& out, std::span<const std::string> tests) {
  std::size_t size = out.size() + 32;
  for (const auto& id : tests) size += id.size() + 3;
  out.reserve(size);
  out += ",\"tests\":[";
  for (const auto& id : tests) {
    append_string(out, id);
    out += ',';
  }
  if (!tests.empty()) out.pop_back();
  out += ']';
}

struct JsonWriter {
  std::string operator()(const Hello& hello) const {
    return "{\"msg\":\"Hello\",\"max\":" + std::to_string(hello.versions.max) +
           ",\"min\":" + std::to_string(hello.versions.min) + "}";
  }
  std::string operator()(const Goodbye&) const { return "{\"msg\":\"Goodbye\"}"; }
  std::string operator()(const List& list) const {
    return command_json("List", list.tests, list.nonce);
  }
  std::string operator()(const Run& run) const {
    return command_json("Run", run.tests, run.nonce, run.exit);
  }
  std::string operator()(const Done& done) const {
    return command_json("Done", std::nullopt, done.nonce);
  }
};

}  // namespace

std::optional<std::uint32_t> highest_common_version(VersionRange a, VersionRange b) {
  const auto highest = std::min(a.max, b.max);
  if (highest < std::max(a.min, b.min)) return std::nullopt;
  return highest;
}

Parsed parse_message(std::string_view json) {
  if (json.starts_with("\xef\xbb\xbf"))
    return refuse("not valid JSON at byte 1: a byte order mark");
  // nlohmann's lexer takes a NUL for the end of its input.
  if (const auto nul = json.find('\0'); nul != std::string_view::npos)
    return refuse("not valid JSON at byte " + std::to_string(nul + 1) + ": U+0000");
  FieldReader reader;
  constexpr bool nothing_after = true;
  if (!Json::sax_parse(json.begin(), json.end(), &reader, Json::input_format_t::json,
                       nothing_after))
    return refuse(std::move(reader.fault));
  return make_message(reader.fields);
}

std::string to_json(const Message& message) {
  return std::visit(JsonWriter{}, message);
}

std::string command_json(std::string_view command,
                         std::optional<std::span<const std::string>> tests, std::string_view nonce,
                         bool exit) {
  std::string out = "{\"msg\":";
  append_string(out, command);
  if (tests) append_tests(out, *tests);
  if (!exit) out += ",\"exit\":false";
  out += ",\"nonce\":";
  append_string(out, nonce);
  out += '}';
  return out;
}

}  // namespace hearth::protocol
