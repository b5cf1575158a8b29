// Mock objects that are leaked, and some that only seem to be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace {

struct Door {
  virtual ~Door() = default;
  virtual void open() = 0;
};
struct MockDoor : Door {
  MOCK_METHOD(void, open, (), (override));
};

// Two maps that have the shape of GoogleMock's registry, and are not it.
std::map<const void*, int> others = {{&others, 1}};
std::map<const void*, std::string> empty;

MockDoor* held[2];

TEST(Mocks, Fine) {
  MockDoor door;
  EXPECT_CALL(door, open());
  door.open();
}
TEST(Mocks, Leaks) {
  held[0] = new MockDoor;
  EXPECT_CALL(*held[0], open()).Times(1);
}
TEST(Mocks, LeaksTwo) {
  for (MockDoor*& door : held) {
    door = new MockDoor;
    ON_CALL(*door, open());
  }
}
TEST(Mocks, MayLeak) {
  held[0] = new MockDoor;
  EXPECT_CALL(*held[0], open()).Times(0);
  testing::Mock::AllowLeak(held[0]);
}
TEST(Mocks, Static) {
  static MockDoor door;
  EXPECT_CALL(door, open());
  door.open();
}
TEST(Mocks, DeletedAtExit) {
  static std::unique_ptr<MockDoor> door(new MockDoor);
  EXPECT_CALL(*door, open());
  door->open();
}

class Suite : public testing::Test {
 protected:
  static void SetUpTestSuite() { s_door = new MockDoor; }
  static void TearDownTestSuite() { delete s_door; }
  static MockDoor* s_door;
};
MockDoor* Suite::s_door = nullptr;
TEST_F(Suite, UsesTheSuites) {
  EXPECT_CALL(*s_door, open());
  s_door->open();
}
TEST_F(Suite, Leaks) {
  held[0] = new MockDoor;
  EXPECT_CALL(*held[0], open()).Times(0);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS() + static_cast<int>(others.size() - 1 + empty.size());
}
