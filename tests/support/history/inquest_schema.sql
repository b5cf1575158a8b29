-- As `inq init` of version 0.3.5 leaves it (its src/repository/inquest.rs, create_schema()).
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, git_commit TEXT, git_dirty INTEGER, command TEXT,
  concurrency INTEGER, duration_secs REAL, exit_code INTEGER,
  total_tests INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
  errors INTEGER NOT NULL DEFAULT 0, skips INTEGER NOT NULL DEFAULT 0, test_args TEXT, profile TEXT,
  predicted_duration_secs REAL);
CREATE TABLE test_results (
  run_id INTEGER NOT NULL REFERENCES runs(id), test_id TEXT NOT NULL, status TEXT NOT NULL,
  duration_secs REAL, message TEXT, details TEXT, tags TEXT, PRIMARY KEY (run_id, test_id));
CREATE INDEX test_results_test_id_run_id ON test_results (test_id, run_id);
CREATE TABLE test_times (test_id TEXT PRIMARY KEY, duration_secs REAL NOT NULL);
CREATE TABLE failing_tests (
  test_id TEXT PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs(id), status TEXT NOT NULL,
  message TEXT, details TEXT);
CREATE TABLE test_flakiness (
  test_id TEXT PRIMARY KEY, runs INTEGER NOT NULL, failures INTEGER NOT NULL,
  transitions INTEGER NOT NULL, last_run_id INTEGER NOT NULL, last_failed INTEGER NOT NULL);
INSERT INTO schema_version (version) VALUES (1);
