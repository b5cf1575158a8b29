// A history, driven from outside: requests on stdin, answers on stdout, a line of JSON each. For
// tests that need to kill a writer at a known moment, to let two write at once, or to let others
// read.
//
//   {"do": "open", "directory": D, "create": B}     {"description"} or {"error"}, as all of them
//   {"do": "record"} {"do": "begin", "all": B}      begin a run
//   {"do": "result", "id", "status", "seconds", "worker", "attempt", "retry", "files": {NAME:
//   TEXT}}
//   {"do": "many", "count": N, "fail_every": M}     N results
//   {"do": "tick"} {"do": "end", "interrupted": B} {"do": "finish"}
//   {"do": "past"}
#include <cmath>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "client/history/repository.hpp"
#include "tests/support/history/played_run.hpp"

namespace hearth::test {
namespace {

using Json = nlohmann::json;

protocol::TestStatus status_named(const std::string& name) {
  for (int value = 0; value < 8; ++value)
    if (protocol::to_string(static_cast<protocol::TestStatus>(value)) == name)
      return static_cast<protocol::TestStatus>(value);
  throw std::invalid_argument("no status: " + name);
}

Json failure(const Error& error) {
  return {{"error", error.text()}};
}

class Tool {
 public:
  Json answer(const Json& request) {
    const std::string what = request.at("do");
    if (what == "open") return open(request);
    if (what == "past") return past();
    if (what == "record") return record();
    if (what == "finish") return finish();
    if (what == "begin") {
      m_run->begin(request.value("all", true), request.value("workers", 1u));
    } else if (what == "result") {
      m_run->play(played(request));
    } else if (what == "many") {
      many(request.at("count"), request.value("fail_every", 0));
    } else if (what == "tick") {
      m_run->tick();
    } else if (what == "end") {
      m_run->end(request.value("interrupted", false));
    } else {
      throw std::invalid_argument("no request: " + what);
    }
    return Json::object();
  }

 private:
  Json open(const Json& request) {
    auto history =
        client::Repository::open(request.at("directory"), request.value("create", true),
                                 std::chrono::milliseconds(request.value("patience_ms", 10'000)));
    if (!history) return failure(history.error());
    m_history = std::move(*history);
    return {{"description", m_history->description()}};
  }
  Json past() {
    const auto past = m_history->past();
    if (!past) return failure(past.error());
    Json durations = Json::object();
    for (const auto& [id, duration] : past->durations)
      durations[id] = std::chrono::duration<double>(duration).count();
    return {{"durations", durations}, {"failing", past->failing}};
  }
  Json record() {
    auto recorder = m_history->record();
    if (!recorder) return failure(recorder.error());
    m_run.reset();
    m_recorder = std::move(*recorder);
    m_run.emplace(*m_recorder);
    return Json::object();
  }
  Json finish() {
    const auto name = m_recorder->finish();
    if (!name) return failure(name.error());
    return {{"run", *name}};
  }
  void many(int count, int fail_every) {
    for (int number = 0; number < count; ++number) {
      PlayedTest test{"program.Suite.Test" + std::to_string(number)};
      test.duration = std::chrono::microseconds(1000 + number);
      if (fail_every > 0 && number % fail_every == 0) test.status = protocol::TestStatus::fail;
      m_run->play(test);
    }
  }
  static PlayedTest played(const Json& request) {
    PlayedTest test{request.at("id")};
    test.status = status_named(request.value("status", "success"));
    test.duration =
        std::chrono::microseconds(std::llround(request.value("seconds", 0.25) * 1'000'000));
    test.worker = request.value("worker", 0u);
    test.attempt = request.value("attempt", 1u);
    test.will_retry = request.value("retry", false);
    for (const auto& [name, text] : request.value("files", std::map<std::string, std::string>()))
      test.files.emplace_back(name, text);
    return test;
  }

  std::unique_ptr<client::Repository> m_history;
  std::unique_ptr<client::Recorder> m_recorder;
  std::optional<PlayedRun> m_run;
};

}  // namespace
}  // namespace hearth::test

int main() {
  hearth::test::Tool tool;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << tool.answer(nlohmann::json::parse(line)).dump() << std::endl;
  return 0;
}
