#include "client/history/testr_repository.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "client/history/stream_reader.hpp"
#include "client/history/times_file.hpp"

namespace hearth::client {
namespace {

std::string_view name_of(TestrKind kind) {
  return kind == TestrKind::testr ? "testr" : "stestr";
}

std::optional<std::uint64_t> number_of(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (fault != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// Of the runs that are there, lowest first.
Expected<std::vector<std::uint64_t>> run_numbers(const std::string& path) {
  std::vector<std::uint64_t> numbers;
  std::error_code fault;
  for (std::filesystem::directory_iterator entry(path, fault), end; !fault && entry != end;
       entry.increment(fault))
    if (const auto number = number_of(entry->path().filename().string()))
      numbers.push_back(*number);
  if (fault) return tl::unexpected(system_error("read " + path, fault.value()));
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

Expected<std::unique_ptr<Repository>> TestrRepository::open(TestrKind kind, const std::string& path,
                                                            std::chrono::milliseconds patience) {
  const auto format = read_file(path + "/format");
  if (!format) {
    auto error = format.error();
    if (error.remedy.empty())
      error.remedy = "this is no repository of " + std::string(name_of(kind)) +
                     "; remove the directory, and make one with `" + std::string(name_of(kind)) +
                     " init`";
    return tl::unexpected(error);
  }
  if (*format != "1\n")
    return tl::unexpected(
        Error{"use the repository " + path,
              path + "/format is not 1: the repository has a format that is not "
                     "known here",
              "move it away, or give it to the " + std::string(name_of(kind)) + " that made it"});
  return std::unique_ptr<Repository>(new TestrRepository(kind, path, patience));
}

std::string TestrRepository::description() const {
  return "the " + std::string(name_of(m_kind)) + " repository in " + m_path;
}

std::string TestrRepository::lacking() const {
  return "a repository of " + std::string(name_of(m_kind)) +
         " does not tell a pass after a retry from any other, nor whether the programs changed "
         "between runs: tests that failed between passes are taken for flaky";
}

Expected<std::vector<StoredRun>> TestrRepository::runs() {
  const auto numbers = run_numbers(m_path);
  if (!numbers) return tl::unexpected(numbers.error());
  std::vector<StoredRun> runs;
  for (const auto number : *numbers) runs.push_back({std::to_string(number), std::nullopt, true});
  return runs;
}

bool is_of_inquest(const std::string& path) {
  const auto numbers = run_numbers(path);
  if (!numbers || numbers->empty()) return false;
  return is_v2(path + "/" + std::to_string(numbers->back()));
}

Expected<void> TestrRepository::read_run(const StoredRun& run, Detail detail,
                                         const ResultSink& sink) {
  const auto read = read_stream(m_path + "/" + run.name, detail, sink);
  if (!read) return tl::unexpected(read.error());
  return {};
}

Expected<void> read_failing_file(const std::string& path, Detail detail, const ResultSink& sink) {
  const std::string file = path + "/failing";
  if (!exists(file)) return {};
  const auto foreign = read_stream(file, detail, sink);
  if (!foreign) return tl::unexpected(foreign.error());
  if (*foreign == 0) return {};
  return tl::unexpected(Error{
      "read " + file, "it is damaged: " + std::to_string(*foreign) + " bytes of it are no subunit",
      "remove it; the next full run makes it anew"});
}

Expected<void> TestrRepository::read_failing(Detail detail, const ResultSink& sink) {
  return read_failing_file(m_path, detail, sink);
}

Expected<Past> TestrRepository::past() {
  auto times = TimesFile(m_path, m_kind == TestrKind::stestr).read();
  if (!times) return tl::unexpected(times.error());
  Past past;
  past.durations = std::move(*times);
  const auto read = read_failing_file(m_path, Detail::verdicts, [&](StoredResult&& result) {
    // What testr makes of a command that ends with an error: no test that could be run.
    if (result.id != "process-returncode") past.failing.push_back(std::move(result.id));
  });
  if (!read) return tl::unexpected(read.error());
  return past;
}

Expected<std::unique_ptr<Recorder>> TestrRepository::record() {
  return make_testr_recorder(m_kind, m_path, m_lock_patience);
}

std::string without_tags(const std::string& id) {
  const auto begin = id.find('[');
  const auto end = id.find(']');
  if (begin == std::string::npos || begin == 0 || end == std::string::npos || end < begin)
    return id;
  return id.substr(0, begin) + id.substr(end + 1);
}

}  // namespace hearth::client
