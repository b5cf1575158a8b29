#include "calendar.hpp"

#include <cppunit/extensions/HelperMacros.h>

using calendar::Day;

// One test per row of a table, each with a name of its own.
class LeapYearTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LeapYearTest);
  CPPUNIT_TEST_SUITE_ADD_CUSTOM_TESTS(add_rows);
  CPPUNIT_TEST_SUITE_END();

  struct Row {
    int year;
    bool leap;
  };
  static constexpr Row rows[] = {{1600, true},  {1700, false}, {1800, false}, {1900, false},
                                 {1970, false}, {1972, true},  {1996, true},  {1999, false},
                                 {2000, true},  {2001, false}, {2004, true},  {2023, false},
                                 {2024, true},  {2100, false}, {2400, true}};

  class Check : public CppUnit::TestCase {
   public:
    Check(const std::string& name, const Row& row) : TestCase(name), m_row(row) {}
    void runTest() override { CPPUNIT_ASSERT_EQUAL(m_row.leap, calendar::is_leap(m_row.year)); }

   private:
    Row m_row;
  };

  static void add_rows(TestSuiteBuilderContextType& context) {
    for (const Row& row : rows) {
      context.addTest(new Check(context.getTestNameFor("year_" + std::to_string(row.year)), row));
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LeapYearTest);

class MonthLengthTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MonthLengthTest);
  CPPUNIT_TEST(january);
  CPPUNIT_TEST(february);
  CPPUNIT_TEST(february_of_a_leap_year);
  CPPUNIT_TEST(march);
  CPPUNIT_TEST(april);
  CPPUNIT_TEST(may);
  CPPUNIT_TEST(june);
  CPPUNIT_TEST(july);
  CPPUNIT_TEST(august);
  CPPUNIT_TEST(september);
  CPPUNIT_TEST(october);
  CPPUNIT_TEST(november);
  CPPUNIT_TEST(december);
  CPPUNIT_TEST_EXCEPTION(no_month_0, std::out_of_range);
  CPPUNIT_TEST_EXCEPTION(no_month_13, std::out_of_range);
  CPPUNIT_TEST_SUITE_END();

 public:
  void january() { expect(31, 1); }
  void february() { expect(28, 2); }
  void february_of_a_leap_year() { CPPUNIT_ASSERT_EQUAL(29, calendar::days_in(2024, 2)); }
  void march() { expect(31, 3); }
  void april() { expect(30, 4); }
  void may() { expect(31, 5); }
  void june() { expect(30, 6); }
  void july() { expect(31, 7); }
  void august() { expect(31, 8); }
  void september() { expect(30, 9); }
  void october() { expect(31, 10); }
  void november() { expect(30, 11); }
  void december() { expect(31, 12); }
  void no_month_0() { calendar::days_in(2023, 0); }
  void no_month_13() { calendar::days_in(2023, 13); }

 private:
  static void expect(int days, int month) {
    CPPUNIT_ASSERT_EQUAL(days, calendar::days_in(2023, month));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(MonthLengthTest);

class DayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DayTest);
  CPPUNIT_TEST(first_of_the_epoch);
  CPPUNIT_TEST(before_the_epoch);
  CPPUNIT_TEST(a_known_number);
  CPPUNIT_TEST(numbers_follow_each_other_for_400_years);
  CPPUNIT_TEST(next_in_the_month);
  CPPUNIT_TEST(next_month);
  CPPUNIT_TEST(next_year);
  CPPUNIT_TEST(next_in_a_leap_february);
  CPPUNIT_TEST(is_checked);
  CPPUNIT_TEST_EXCEPTION(no_30th_of_february, std::out_of_range);
  CPPUNIT_TEST_EXCEPTION(no_day_0, std::out_of_range);
  CPPUNIT_TEST_SUITE_END();

 public:
  void first_of_the_epoch() { CPPUNIT_ASSERT_EQUAL(0L, number_of(Day{1970, 1, 1})); }
  void before_the_epoch() { CPPUNIT_ASSERT_EQUAL(-1L, number_of(Day{1969, 12, 31})); }
  void a_known_number() { CPPUNIT_ASSERT_EQUAL(11017L, number_of(Day{2000, 3, 1})); }
  void numbers_follow_each_other_for_400_years() {
    Day day{1800, 1, 1};
    long number = number_of(day);
    while (day.year < 2200) {
      day = next(day);
      CPPUNIT_ASSERT_EQUAL(++number, number_of(day));
    }
  }
  void next_in_the_month() { CPPUNIT_ASSERT_EQUAL((Day{2023, 5, 17}), next(Day{2023, 5, 16})); }
  void next_month() { CPPUNIT_ASSERT_EQUAL((Day{2023, 6, 1}), next(Day{2023, 5, 31})); }
  void next_year() { CPPUNIT_ASSERT_EQUAL((Day{2024, 1, 1}), next(Day{2023, 12, 31})); }
  void next_in_a_leap_february() {
    CPPUNIT_ASSERT_EQUAL((Day{2024, 2, 29}), next(Day{2024, 2, 28}));
  }
  void is_checked() { CPPUNIT_ASSERT_EQUAL((Day{2024, 2, 29}), calendar::checked(2024, 2, 29)); }
  void no_30th_of_february() { calendar::checked(2024, 2, 30); }
  void no_day_0() { calendar::checked(2024, 2, 0); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DayTest);

class WeekdayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WeekdayTest);
  CPPUNIT_TEST(thursday_at_the_epoch);
  CPPUNIT_TEST(wednesday_before_the_epoch);
  CPPUNIT_TEST(a_known_friday);
  CPPUNIT_TEST(goes_round_in_seven_days);
  CPPUNIT_TEST_SUITE_END();

 public:
  void thursday_at_the_epoch() { CPPUNIT_ASSERT_EQUAL(4, weekday(Day{1970, 1, 1})); }
  void wednesday_before_the_epoch() { CPPUNIT_ASSERT_EQUAL(3, weekday(Day{1969, 12, 31})); }
  void a_known_friday() { CPPUNIT_ASSERT_EQUAL(5, weekday(Day{2026, 11, 20})); }
  void goes_round_in_seven_days() {
    Day day{2024, 2, 26};
    const int first = weekday(day);
    for (int i = 0; i < 7; ++i) day = next(day);
    CPPUNIT_ASSERT_EQUAL(first, weekday(day));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(WeekdayTest);
