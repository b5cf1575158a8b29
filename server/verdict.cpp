#include "server/verdict.hpp"

#include <cstdio>

#include "process/wait_status.hpp"

namespace hearth::server {
using protocol::TestStatus;
namespace {

std::string name(TestStatus status) {
  switch (status) {
    case TestStatus::success:
      return "a pass";
    case TestStatus::skip:
      return "a skip";
    case TestStatus::xfail:
      return "an expected failure";
    case TestStatus::uxsuccess:
      return "an unexpected success";
    default:
      return "a failure";
  }
}

std::string ending(const Evidence& evidence) {
  return evidence.wait_status ? process::describe_wait_status(*evidence.wait_status)
                              : "ended in a way that is not known";
}

std::string name_left(const std::vector<LeftProcess>& left) {
  std::string text;
  for (const LeftProcess& process : left) {
    text += "left process " + std::to_string(process.pid) + " behind (killed): " + process.command +
            '\n';
  }
  return text;
}

// The cause that makes a fail of whatever the framework said; empty: there is none.
std::string overriding_cause(const Evidence& evidence) {
  if (!evidence.trouble.empty()) return evidence.trouble;
  if (evidence.timed_out) {
    return "The test ran into its time limit of " + describe_time(*evidence.timed_out) +
           " and was killed (it " + ending(evidence) + ").";
  }
  const bool ended_by_us = evidence.wait_status && *evidence.wait_status == 0;
  if (!evidence.verdict) {
    return "The test's process " + ending(evidence) + " before the test had a verdict.";
  }
  if (!ended_by_us) {
    return "The test reported " + name(*evidence.verdict) + ", but then its process " +
           ending(evidence) + '.';
  }
  if (evidence.leaks_fail && !evidence.left.empty()) {
    return "The test left " + std::to_string(evidence.left.size()) + " process(es) behind.";
  }
  return {};
}

}  // namespace

std::string describe_time(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", static_cast<double>(time.count()) / 1000);
  return text;
}

Judgement judge(const Evidence& evidence) {
  Judgement judgement{TestStatus::fail, overriding_cause(evidence), name_left(evidence.left)};
  if (judgement.cause.empty()) judgement.status = *evidence.verdict;
  return judgement;
}

}  // namespace hearth::server
