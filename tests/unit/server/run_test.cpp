#include "server/run.hpp"

#include <doctest/doctest.h>

#include "protocol/server_session.hpp"

using namespace hearth::server;
using hearth::protocol::ServerSession;

namespace {

const auto any = [](const QueuedTest&) { return true; };

Run make_run(ServerSession& session,
             std::optional<std::vector<std::string>> tests = std::vector<std::string>{}) {
  return Run(Run::Kind::run, session, 7, std::move(tests));
}

}  // namespace

TEST_CASE("Run: it says what it was made of") {
  ServerSession session;
  const Run all(Run::Kind::list, session, 3, std::nullopt);
  CHECK(all.is_list());
  CHECK(all.wants_all());
  CHECK(all.ordinal() == 3);
  CHECK(&all.session() == &session);
  Run some = make_run(session, std::vector<std::string>{"a", "b"});
  CHECK_FALSE(some.is_list());
  CHECK_FALSE(some.wants_all());
  CHECK(some.pending().size() == 2);
}

TEST_CASE("Run: over when nothing is pending, to be answered, queued, running or held") {
  ServerSession session;
  Run run = make_run(session, std::vector<std::string>{"a"});
  CHECK_FALSE(run.is_over());
  run.pending().clear();
  CHECK(run.is_over());

  run.answer({nullptr, Answer::no_index, "a"});
  CHECK_FALSE(run.is_over());
  CHECK(run.take_answer()->id == "a");
  CHECK_FALSE(run.take_answer());
  CHECK(run.is_over());

  run.queue({nullptr, 5});
  CHECK_FALSE(run.is_over());
  CHECK(run.take(any)->test == 5);
  CHECK_FALSE(run.is_over());  // it runs
  run.one_over();
  CHECK(run.is_over());

  run.hold(true);
  run.hold(true);
  run.hold(false);
  CHECK_FALSE(run.is_over());
  run.hold(false);
  CHECK(run.is_over());
}

TEST_CASE("Run: the first test that may run is taken, the others stay in order") {
  ServerSession session;
  Run run = make_run(session);
  for (std::uint32_t test = 0; test < 5; ++test) run.queue({nullptr, test});
  const auto odd = [](const QueuedTest& queued) { return queued.test % 2 == 1; };
  CHECK(run.take(odd)->test == 1);
  CHECK(run.take(odd)->test == 3);
  CHECK_FALSE(run.take(odd));
  for (const std::uint32_t expected : {0U, 2U, 4U}) CHECK(run.take(any)->test == expected);
  CHECK_FALSE(run.take(any));
}
