#include "client/history/history.hpp"

#include "client/history/files.hpp"
#include "client/history/hearth_repository.hpp"
#include "client/history/inquest_repository.hpp"
#include "client/history/testr_repository.hpp"

namespace hearth::client {

Expected<std::unique_ptr<History>> History::open(const std::string& directory, bool create) {
  auto repository = Repository::open(directory, create);
  if (!repository) return tl::unexpected(repository.error());
  return std::move(*repository);
}

Expected<std::unique_ptr<Repository>> Repository::open(const std::string& directory, bool create,
                                                       std::chrono::milliseconds lock_patience) {
  const std::string prefix = directory.empty() || directory == "." ? "" : directory + "/";
  // inquest itself prefers its own to testr's.
  if (exists(prefix + ".inquest")) return InquestRepository::open(prefix + ".inquest");
  if (exists(prefix + ".testrepository"))
    return TestrRepository::open(TestrKind::testr, prefix + ".testrepository", lock_patience);
  if (exists(prefix + ".stestr"))
    return TestrRepository::open(TestrKind::stestr, prefix + ".stestr", lock_patience);
  if (create || exists(prefix + ".hearth/history.db"))
    return std::make_unique<HearthRepository>(prefix + ".hearth");
  return tl::unexpected(Error{"open the history in " + (directory.empty() ? "." : directory),
                              "there is none: no .inquest, .testrepository, .stestr or .hearth",
                              "`hearth run` makes one; or go to the project's directory"});
}

Expected<void> Repository::read_test(
    const std::string& id, const std::function<void(const StoredRun&, StoredResult&&)>& sink) {
  const auto all = runs();
  if (!all) return tl::unexpected(all.error());
  for (const auto& run : *all) {
    const auto read = read_run(run, Detail::verdicts, [&](StoredResult&& result) {
      if (result.id == id) sink(run, std::move(result));
    });
    if (!read) return read;
  }
  return {};
}

}  // namespace hearth::client
