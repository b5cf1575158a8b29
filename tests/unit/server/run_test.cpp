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

  run.queue({nullptr, 5, {}});
  CHECK_FALSE(run.is_over());
  CHECK(run.take(any)->test == 5);
  CHECK_FALSE(run.is_over());  // it runs
  run.one_over(nullptr);
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
  for (std::uint32_t test = 0; test < 5; ++test) run.queue({nullptr, test, {}});
  const auto odd = [](const QueuedTest& queued) { return queued.test % 2 == 1; };
  CHECK(run.take(odd)->test == 1);
  CHECK(run.take(odd)->test == 3);
  CHECK_FALSE(run.take(odd));
  for (const std::uint32_t expected : {0U, 2U, 4U}) CHECK(run.take(any)->test == expected);
  CHECK_FALSE(run.take(any));
}

TEST_CASE(
    "Run: in sequence a program's tests run one at a time, in order, and each knows the next") {
  ServerSession session;
  Run run(Run::Kind::run, session, 7, std::vector<std::string>{}, true);
  char places[2];  // programs are told apart by their addresses, and not looked into
  auto* const one = reinterpret_cast<Program*>(&places[0]);
  auto* const other = reinterpret_cast<Program*>(&places[1]);
  for (const std::uint32_t test : {4U, 2U, 4U}) run.queue({one, test, {}});
  run.queue({other, 2, {}});

  const auto first = run.take(any);
  CHECK(first->program == one);
  CHECK(first->test == 4);
  CHECK(first->next == 2U);
  const auto beside = run.take(any);
  CHECK(beside->program == other);
  CHECK_FALSE(beside->next);
  CHECK_FALSE(run.take(any));

  run.one_over(one);
  const auto not_two = [](const QueuedTest& queued) { return queued.test != 2; };
  CHECK_FALSE(run.take(not_two));  // no test overtakes another
  CHECK(run.take(any)->test == 2);
  run.one_over(one);
  const auto last = run.take(any);
  CHECK(last->test == 4);
  CHECK_FALSE(last->next);
  run.one_over(one);
  CHECK_FALSE(run.is_over());
  run.one_over(other);
  CHECK(run.is_over());
}

TEST_CASE("Run: it waits for the programs that it concerns, and says which it has used") {
  ServerSession session;
  const auto* const program = reinterpret_cast<const Program*>(&session);  // an address, no more
  const auto* const other = reinterpret_cast<const Program*>(&program);
  Run run = make_run(session);
  CHECK(run.is_over());
  run.await(3);
  run.await(5);
  CHECK(run.awaits(3));
  CHECK_FALSE(run.awaits(4));
  run.arrived(3, *program);
  CHECK_FALSE(run.awaits(3));
  CHECK(run.awaits_any());
  CHECK_FALSE(run.is_over());
  run.arrived(5, *other);
  CHECK(run.is_over());
  CHECK(run.uses(*program));
  CHECK_FALSE(run.uses(*reinterpret_cast<const Program*>(&run)));

  Run cancelled = make_run(session);
  cancelled.await(1);
  CHECK(cancelled.cancel().empty());
  CHECK(cancelled.is_over());
}

TEST_CASE("Run: a program concerns it by its name, whole") {
  ServerSession session;
  const Run run = make_run(session, std::vector<std::string>{"name.suite.test", "alone"});
  CHECK(run.concerns("name"));
  CHECK_FALSE(run.concerns("nam"));
  CHECK_FALSE(run.concerns("name.suit"));
  CHECK_FALSE(run.concerns("alone"));
  CHECK(Run(Run::Kind::list, session, 3, std::nullopt).concerns("anything"));
}
