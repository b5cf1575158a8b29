#include "client/history/flakiness.hpp"

#include <algorithm>

namespace hearth::client {
namespace {

constexpr std::size_t suspicious_turns = 2;

}  // namespace

void FlakinessFinder::begin_run(const StoredRun& run) {
  ++m_run;
  if (run.revision.empty() || run.revision != m_last_revision) ++m_revision;
  m_last_revision = run.revision;
  m_knows_revisions = m_knows_revisions || !run.revision.empty();
}

void FlakinessFinder::begin_run_of(Story& story) const {
  if (story.run == m_run) return;
  if (story.revision != m_revision) story.passed_in_revision = story.failed_in_revision = false;
  story.run = m_run;
  story.revision = m_revision;
  story.passed_in_run = story.failed_in_run = story.mixed_in_run = false;
}

void FlakinessFinder::add(const StoredResult& result) {
  const bool failed = has_failed(result.status);
  if (!failed && result.status != protocol::TestStatus::success) return;
  auto& story = m_stories[result.id];
  if (story.test.id.empty()) story.test.id = result.id;
  begin_run_of(story);
  ++story.test.executions;
  story.test.failures += failed ? 1 : 0;
  story.test.retry_passes += result.flaky ? 1 : 0;
  if (!result.retried) note_verdict(story, failed);
}

void FlakinessFinder::note_verdict(Story& story, bool failed) {
  const bool first = story.test.executions == 1;
  if (!first && failed != story.has_turned_to_failure) ++story.test.turns;
  story.has_turned_to_failure = failed;
  (failed ? story.failed_in_run : story.passed_in_run) = true;
  (failed ? story.failed_in_revision : story.passed_in_revision) = true;
  if (story.failed_in_run && story.passed_in_run && !story.mixed_in_run) {
    story.mixed_in_run = true;
    ++story.test.mixed_runs;
  }
  if (story.failed_in_revision && story.passed_in_revision) story.test.mixed_revision = true;
}

std::vector<FlakyTest> FlakinessFinder::find() const {
  std::vector<FlakyTest> found;
  for (const auto& [id, story] : m_stories) {
    const auto& test = story.test;
    if (test.retry_passes > 0 || test.mixed_runs > 0 || test.mixed_revision ||
        (!m_knows_revisions && test.turns >= suspicious_turns))
      found.push_back(test);
  }
  std::sort(found.begin(), found.end(), [](const FlakyTest& one, const FlakyTest& other) {
    if (one.rate() != other.rate()) return one.rate() > other.rate();
    return one.id < other.id;
  });
  return found;
}

}  // namespace hearth::client
