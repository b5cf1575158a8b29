// times.dbm.db: Berkeley DB's hash, which Python's dbm makes on Debian. A copy is changed and put
// in its place, since the library alone gives no file that survives a writer's sudden end.
#include "client/history/times_file.hpp"

#ifdef HEARTH_HAS_BERKELEY_DB

#include <db.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "client/history/files.hpp"

namespace hearth::client {
namespace {

constexpr const char* remedy = "remove the file; it is made anew";

struct Closer {
  void operator()(DB* database) const { database->close(database, 0); }
};
using Handle = std::unique_ptr<DB, Closer>;

Error berkeley_error(const std::string& attempted, int code) {
  return {attempted, db_strerror(code), remedy};
}

Expected<Handle> open_database(const std::string& file, std::uint32_t flags,
                               const std::string& attempted) {
  DB* database = nullptr;
  if (const int code = db_create(&database, nullptr, 0); code != 0)
    return tl::unexpected(berkeley_error(attempted, code));
  Handle handle(database);
  database->set_errcall(database, [](const DB_ENV*, const char*, const char*) {});
  const int code = database->open(database, nullptr, file.c_str(), nullptr, DB_UNKNOWN, flags, 0);
  if (code != 0) return tl::unexpected(berkeley_error(attempted, code));
  return handle;
}

DBT entry_of(std::string_view text) {
  DBT entry{};
  entry.data = const_cast<char*>(text.data());  // read only, by put()
  entry.size = static_cast<std::uint32_t>(text.size());
  return entry;
}

Expected<void> copy_file(const std::string& from, const std::string& to) {
  const auto content = read_file(from);
  if (!content) return tl::unexpected(content.error());
  return replace_file(to, *content);
}

Expected<void> put_all(const std::string& file, const Durations& durations,
                       const std::string& attempted) {
  auto database = open_database(file, 0, attempted);
  if (!database) return tl::unexpected(database.error());
  DB* const handle = database->get();
  for (const auto& [id, duration] : durations) {
    const auto value = duration_to_python(duration);
    DBT key = entry_of(id);
    DBT data = entry_of(value);
    if (const int code = handle->put(handle, nullptr, &key, &data, 0); code != 0)
      return tl::unexpected(berkeley_error(attempted, code));
  }
  DB* const last = database->release();
  if (const int code = last->close(last, 0); code != 0)
    return tl::unexpected(berkeley_error(attempted, code));
  return {};
}

// Many at a time. The code that ends it: DB_NOTFOUND, when all have been read.
int read_all(DBC* cursor, Durations& durations) {
  std::vector<char> buffer(std::size_t{1} << 20);
  DBT key{};
  DBT data{};
  data.data = buffer.data();
  data.ulen = static_cast<std::uint32_t>(buffer.size());
  data.flags = DB_DBT_USERMEM;
  for (;;) {
    if (const int code = cursor->get(cursor, &key, &data, DB_MULTIPLE_KEY | DB_NEXT); code != 0)
      return code;
    void* place = nullptr;
    DB_MULTIPLE_INIT(place, &data);
    for (;;) {
      std::uint8_t* id = nullptr;
      std::uint8_t* value = nullptr;
      std::size_t id_size = 0;
      std::size_t value_size = 0;
      DB_MULTIPLE_KEY_NEXT(place, &data, id, id_size, value, value_size);
      if (place == nullptr) break;
      const auto text = [](const std::uint8_t* begin, std::size_t size) {
        return std::string_view(reinterpret_cast<const char*>(begin), size);
      };
      if (const auto duration = duration_from_python(text(value, value_size)))
        durations.insert_or_assign(std::string(text(id, id_size)), *duration);
    }
  }
}

}  // namespace

Expected<Durations> read_berkeley(const std::string& path) {
  const std::string file = path + ".db";
  const std::string attempted = "read the durations in " + file;
  const auto database = open_database(file, DB_RDONLY, attempted);
  if (!database) return tl::unexpected(database.error());
  DBC* cursor = nullptr;
  if (const int code = (*database)->cursor(database->get(), nullptr, &cursor, 0); code != 0)
    return tl::unexpected(berkeley_error(attempted, code));
  Durations durations;
  const int code = read_all(cursor, durations);
  cursor->close(cursor);
  if (code != DB_NOTFOUND) return tl::unexpected(berkeley_error(attempted, code));
  return durations;
}

Expected<void> update_berkeley(const std::string& path, const Durations& durations) {
  const std::string file = path + ".db";
  const std::string beside = file + ".new";
  const std::string attempted = "write the durations to " + file;
  auto written = copy_file(file, beside);
  if (written) written = put_all(beside, durations, attempted);
  if (written && rename(beside.c_str(), file.c_str()) != 0)
    written = tl::unexpected(system_error(attempted, errno));
  if (!written) unlink(beside.c_str());
  return written;
}

}  // namespace hearth::client

#else

namespace hearth::client {
namespace {

Error not_built_in(const std::string& path) {
  return {"use the durations in " + path + ".db",
          "this hearth was built without Berkeley DB (libdb5.3-dev)",
          "build it with that; or remove the file, and one is made that needs no library"};
}

}  // namespace

Expected<Durations> read_berkeley(const std::string& path) {
  return tl::unexpected(not_built_in(path));
}

Expected<void> update_berkeley(const std::string& path, const Durations&) {
  return tl::unexpected(not_built_in(path));
}

}  // namespace hearth::client

#endif
