#include "client/history/sqlite.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "client/history/files.hpp"

namespace hearth::client {
namespace {

std::string remedy_for(int code, const std::string& path) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "wait until the process that has " + path + " open is done, or end it";
    case SQLITE_FULL:
      return "make room on the disk; what was recorded before is as it was";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "make it writable for you";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // of our own statements: a table that is not as it was made
      return "move it away, and start a new history";
    default:
      return "";
  }
}

std::string uri_of(const std::string& path, const char* parameters) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#')
      uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    else
      uri += c;
  }
  return uri + parameters;
}

int flags_of(Database::Access access) {
  switch (access) {
    case Database::Access::immutable:
    case Database::Access::read:
      return SQLITE_OPEN_READONLY;
    case Database::Access::write:
      return SQLITE_OPEN_READWRITE;
    case Database::Access::create:
      break;
  }
  return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

int open_handle(const std::string& path, Database::Access access, sqlite3** handle) {
  const auto uri = uri_of(path, access == Database::Access::immutable ? "?immutable=1" : "");
  return sqlite3_open_v2(uri.c_str(), handle,
                         flags_of(access) | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
}

}  // namespace

Expected<std::unique_ptr<Database>> Database::open(const std::string& path, Access access,
                                                   int patience_ms) {
  // Statistics of memory, which nobody asks for, cost a tenth of the time.
  static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(configured);
  sqlite3* handle = nullptr;
  const int code = open_handle(path, access, &handle);
  std::unique_ptr<Database> database(new Database(path, handle));
  if (code != SQLITE_OK) {
    database->note(code);
    return tl::unexpected(database->error("open " + path));
  }
  sqlite3_busy_timeout(handle, patience_ms);
  return database;
}

Database::~Database() {
  sqlite3_close(m_handle);
}

Statement Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (m_code == 0) note(sqlite3_prepare_v2(m_handle, sql, -1, &statement, nullptr));
  return {*this, statement};
}

void Database::run(const char* sql) {
  if (m_code == 0) note(sqlite3_exec(m_handle, sql, nullptr, nullptr, nullptr));
}

std::int64_t Database::last_insert_id() const {
  return sqlite3_last_insert_rowid(m_handle);
}

void Database::note(int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE || m_code != 0) return;
  m_code = code;
  m_system_code = sqlite3_system_errno(m_handle);
  m_message = sqlite3_errmsg(m_handle);
  if (m_handle != nullptr && sqlite3_get_autocommit(m_handle) == 0)
    sqlite3_exec(m_handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

Error Database::error(std::string attempted) const {
  const bool of_system = (m_code & 0xFF) == SQLITE_IOERR || (m_code & 0xFF) == SQLITE_CANTOPEN;
  if (of_system && m_system_code != 0) return system_error(std::move(attempted), m_system_code);
  return {std::move(attempted), m_message, remedy_for(m_code, m_path)};
}

bool Database::begin(int patience_ms, bool must) {
  if (m_code != 0) return false;
  sqlite3_busy_timeout(m_handle, patience_ms);
  const int code = sqlite3_exec(m_handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
  if (must || (code & 0xFF) != SQLITE_BUSY) note(code);
  return code == SQLITE_OK;
}

Statement::Statement(Statement&& other) noexcept
    : m_database(other.m_database),
      m_statement(std::exchange(other.m_statement, nullptr)),
      m_bound(other.m_bound),
      m_stepped(other.m_stepped) {}

Statement::~Statement() {
  sqlite3_finalize(m_statement);
}

int Statement::next_parameter() {
  if (m_stepped) reset();
  return ++m_bound;
}

Statement& Statement::bind(std::int64_t value) {
  if (m_statement != nullptr)
    m_database->note(sqlite3_bind_int64(m_statement, next_parameter(), value));
  return *this;
}

Statement& Statement::bind(double value) {
  if (m_statement != nullptr)
    m_database->note(sqlite3_bind_double(m_statement, next_parameter(), value));
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  if (m_statement != nullptr)
    m_database->note(sqlite3_bind_text64(m_statement, next_parameter(), value.data(), value.size(),
                                         SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_null() {
  if (m_statement != nullptr) m_database->note(sqlite3_bind_null(m_statement, next_parameter()));
  return *this;
}

bool Statement::step() {
  if (m_statement == nullptr || m_database->failed()) return false;
  m_stepped = true;
  const int code = sqlite3_step(m_statement);
  m_database->note(code);
  return code == SQLITE_ROW;
}

void Statement::run() {
  step();
  reset();
}

void Statement::reset() {
  if (m_statement == nullptr) return;
  sqlite3_reset(m_statement);
  m_stepped = false;
  m_bound = 0;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(m_statement, column);
}
double Statement::real(int column) const {
  return sqlite3_column_double(m_statement, column);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(m_statement, column) == SQLITE_NULL;
}
std::string_view Statement::text(int column) const {
  const auto* const begin = sqlite3_column_text(m_statement, column);
  const int size = sqlite3_column_bytes(m_statement, column);
  return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(size)};
}

}  // namespace hearth::client
