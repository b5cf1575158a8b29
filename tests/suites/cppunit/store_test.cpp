#include "store.hpp"

#include <cppunit/TestSuite.h>
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/RepeatedTest.h>
#include <cppunit/extensions/TestSetUp.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>

class CacheTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CacheTest);
  CPPUNIT_TEST(is_empty_at_first);
  CPPUNIT_TEST(finds_what_it_was_given);
  CPPUNIT_TEST(does_not_find_anything_else);
  CPPUNIT_TEST(keeps_the_newer_value);
  CPPUNIT_TEST(counts_a_key_once);
  CPPUNIT_TEST(drops_the_oldest);
  CPPUNIT_TEST(reading_makes_young);
  CPPUNIT_TEST(writing_makes_young);
  CPPUNIT_TEST(erases);
  CPPUNIT_TEST(erases_nothing);
  CPPUNIT_TEST(stays_within_its_capacity);
  CPPUNIT_TEST_EXCEPTION(refuses_to_hold_nothing, std::invalid_argument);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { m_cache = std::make_unique<Cache>(2); }
  void tearDown() override { m_cache.reset(); }
  void is_empty_at_first() { CPPUNIT_ASSERT_EQUAL(std::size_t{0}, m_cache->size()); }
  void finds_what_it_was_given() {
    m_cache->put("a", 1);
    expect(1, "a");
  }
  void does_not_find_anything_else() {
    m_cache->put("a", 1);
    CPPUNIT_ASSERT(m_cache->get("b") == nullptr);
  }
  void keeps_the_newer_value() {
    m_cache->put("a", 1);
    m_cache->put("a", 2);
    expect(2, "a");
  }
  void counts_a_key_once() {
    m_cache->put("a", 1);
    m_cache->put("a", 2);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, m_cache->size());
  }
  void drops_the_oldest() {
    fill();
    m_cache->put("c", 3);
    CPPUNIT_ASSERT(m_cache->get("a") == nullptr);
    expect(2, "b");
  }
  void reading_makes_young() {
    fill();
    m_cache->get("a");
    m_cache->put("c", 3);
    expect(1, "a");
  }
  void writing_makes_young() {
    fill();
    m_cache->put("a", 9);
    m_cache->put("c", 3);
    expect(9, "a");
  }
  void erases() {
    fill();
    m_cache->erase("a");
    CPPUNIT_ASSERT(m_cache->get("a") == nullptr);
  }
  void erases_nothing() {
    fill();
    m_cache->erase("x");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, m_cache->size());
  }
  void stays_within_its_capacity() {
    for (int i = 0; i < 1000; ++i) m_cache->put(std::to_string(i), i);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, m_cache->size());
  }
  void refuses_to_hold_nothing() { Cache(0); }

 private:
  void fill() {
    m_cache->put("a", 1);
    m_cache->put("b", 2);
  }
  void expect(int value, const std::string& key) {
    const int* const found = m_cache->get(key);
    CPPUNIT_ASSERT_MESSAGE(key, found != nullptr);
    CPPUNIT_ASSERT_EQUAL(value, *found);
  }

  std::unique_ptr<Cache> m_cache;
};
CPPUNIT_TEST_SUITE_REGISTRATION(CacheTest);

// Tests that share a file, which a decorator makes before the first and removes behind the last.
class SettingsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SettingsTest);
  CPPUNIT_TEST(reads);
  CPPUNIT_TEST(reads_the_other);
  CPPUNIT_TEST(knows_keys_as_a_whole);
  CPPUNIT_TEST(adds);
  CPPUNIT_TEST_EXCEPTION(refuses_what_is_not_there, std::out_of_range);
  CPPUNIT_TEST_SUITE_END();

 public:
  static inline std::string path;
  void reads() { CPPUNIT_ASSERT_EQUAL(std::string("blue"), Settings(path).read("colour")); }
  void reads_the_other() { CPPUNIT_ASSERT_EQUAL(std::string("7"), Settings(path).read("size")); }
  void knows_keys_as_a_whole() {
    CPPUNIT_ASSERT_THROW(Settings(path).read("col"), std::out_of_range);
  }
  void adds() {
    Settings(path).add("added", "yes");
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), Settings(path).read("added"));
  }
  void refuses_what_is_not_there() { Settings(path).read("weight"); }
};

class SettingsFile : public CppUnit::TestSetUp {
 public:
  using TestSetUp::TestSetUp;

 protected:
  void setUp() override {
    const char* const directory = getenv("TMPDIR");
    SettingsTest::path =
        std::string(directory == nullptr ? "/tmp" : directory) + "/settings-XXXXXX";
    const int descriptor = mkstemp(SettingsTest::path.data());
    if (descriptor < 0) throw std::runtime_error("no file for the settings");
    close(descriptor);
    Settings(SettingsTest::path).add("colour", "blue");
    Settings(SettingsTest::path).add("size", "7");
  }
  void tearDown() override { unlink(SettingsTest::path.c_str()); }
};

// What does not come out the same every time is repeated.
class RepeatedTests : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RepeatedTests);
  CPPUNIT_TEST(a_cache_survives_any_order);
  CPPUNIT_TEST(settings_survive_any_name);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_cache_survives_any_order() {
    Cache cache(3);
    for (int i = 0; i < 100; ++i) cache.put(std::to_string(rand() % 7), i);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, cache.size());
  }
  void settings_survive_any_name() {
    CPPUNIT_ASSERT_THROW(Settings("/nonexistent/" + std::to_string(rand())).read("a"),
                         std::out_of_range);
  }
};

// Suites put together by hand, in a registry of their own.
class StoreSuite {
 public:
  static CppUnit::Test* suite() {
    auto* const suite = new CppUnit::TestSuite("Store");
    suite->addTest(new SettingsFile(SettingsTest::suite()));
    suite->addTest(new CppUnit::RepeatedTest(RepeatedTests::suite(), 5));
    return suite;
  }
};
CPPUNIT_TEST_SUITE_NAMED_REGISTRATION(StoreSuite, "store");
CPPUNIT_REGISTRY_ADD_TO_DEFAULT("store");
