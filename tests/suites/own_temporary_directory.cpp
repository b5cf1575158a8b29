// Linked into a suite whose tests share a path on disk (TempDir() and a fixed name), which a fork
// does not copy: run side by side they would trip over one another, by chance. Gives each test a
// directory of its own in TEST_TMPDIR, where GoogleTest's TempDir() looks first, and removes it
// with what the test left there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

class OwnTemporaryDirectory final : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo&) override {
    m_path = (std::filesystem::temp_directory_path() / "hearth-suite-XXXXXX").string();
    if (mkdtemp(m_path.data()) == nullptr) std::abort();
    setenv("TEST_TMPDIR", m_path.c_str(), 1);
  }
  void OnTestEnd(const testing::TestInfo&) override { std::filesystem::remove_all(m_path); }

 private:
  std::string m_path;
};

// Behind the adapter's listener: at a test's end the last to come goes first.
const bool listening = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new OwnTemporaryDirectory);
  return true;
}();

}  // namespace
