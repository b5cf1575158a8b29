// A test that leaves a line in the file "ran" of $FAULTS_DIR.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

TEST(Unmodified, LeavesALine) {
  if (const char* const folder = std::getenv("FAULTS_DIR"))
    std::ofstream(std::string(folder) + "/ran", std::ios::app) << "once\n";
}
