// SQLite with errors of ours. A database remembers the first thing that went wrong; from then on
// its statements do nothing and give nothing, so that a caller asks once, at the end of what
// belongs together.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace hearth::client {

class Database;

class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // From the first `?` on; every call of bind() after a step() starts a new execution.
  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view value);
  Statement& bind_null();
  template <typename T>
  Statement& bind(const std::optional<T>& value) {
    return value ? bind(*value) : bind_null();
  }
  // True: there is a row to be read, up to the next step().
  bool step();
  // For statements without rows, or when no more rows are wanted.
  void run();
  // Ends an execution; one that is left open keeps its transaction open.
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* statement)
      : m_database(&database), m_statement(statement) {}
  int next_parameter();

  Database* m_database;
  sqlite3_stmt* m_statement;
  int m_bound = 0;
  bool m_stepped = false;
};

class Database {
 public:
  // immutable: to read where nobody can write, not even the files that readers share.
  enum class Access : std::uint8_t { immutable, read, write, create };

  [[nodiscard]] static Expected<std::unique_ptr<Database>> open(const std::string& path,
                                                                Access access,
                                                                int patience_ms = 10'000);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Lives as long as the database at most.
  [[nodiscard]] Statement prepare(const char* sql);
  void run(const char* sql);  // one or more statements, without parameters
  // Begins to write. False: others have been writing for that long. That is an error only if
  // `must`.
  bool begin(int patience_ms, bool must);
  [[nodiscard]] std::int64_t last_insert_id() const;

  [[nodiscard]] bool failed() const { return m_code != 0; }
  [[nodiscard]] Error error(std::string attempted) const;

 private:
  friend class Statement;
  Database(std::string path, sqlite3* handle) : m_path(std::move(path)), m_handle(handle) {}
  void note(int code);

  std::string m_path;
  sqlite3* m_handle;
  int m_code = 0;
  int m_system_code = 0;
  std::string m_message;
};

}  // namespace hearth::client
