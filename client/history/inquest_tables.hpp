// The rows of a run in inquest's metadata.db, as inq itself writes them.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/history/sqlite.hpp"
#include "client/run/events.hpp"

namespace hearth::client {

struct InquestRow {
  std::string id;
  protocol::TestStatus status;
  std::optional<double> seconds;
  Worker worker;
  std::string details;  // what inquest keeps of the attachments
};

// The traceback, or else all texts.
[[nodiscard]] std::string inquest_details(const std::vector<Attachment>& attachments);
// As chrono's to_rfc3339() writes it.
[[nodiscard]] std::string rfc3339(protocol::Timestamp when);

// The caller has begun a transaction. Errors are the database's.
class InquestTables {
 public:
  InquestTables(Database& database, std::int64_t run);

  void write(const InquestRow& row);
  // A full run: failures of earlier ones are no more.
  void forget_earlier_failures();
  // `workers`: how many servers there were to be.
  void write_summary(const Outcome& outcome, std::size_t workers);

 private:
  void write_flakiness(const InquestRow& row, bool again);
  void rebuild_flakiness(const std::string& id);

  Database& m_database;
  std::int64_t m_run;
  Statement m_find_result;
  Statement m_put_result;
  Statement m_put_failing;
  Statement m_remove_failing;
  Statement m_put_time;
  std::optional<Statement> m_put_flakiness;
  std::set<std::string> m_ran_again;
};

}  // namespace hearth::client
