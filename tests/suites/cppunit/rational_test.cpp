#include "rational.hpp"

#include <cppunit/extensions/HelperMacros.h>

using arithmetic::Rational;

class RationalConstructionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RationalConstructionTest);
  CPPUNIT_TEST(is_zero_by_default);
  CPPUNIT_TEST(takes_whole_numbers);
  CPPUNIT_TEST(is_reduced);
  CPPUNIT_TEST(has_its_sign_above);
  CPPUNIT_TEST(two_signs_cancel);
  CPPUNIT_TEST(zero_has_one_form);
  CPPUNIT_TEST_EXCEPTION(refuses_zero_below, std::domain_error);
  CPPUNIT_TEST_SUITE_END();

 public:
  void is_zero_by_default() { CPPUNIT_ASSERT_EQUAL(0L, Rational().numerator()); }
  void takes_whole_numbers() { CPPUNIT_ASSERT_EQUAL(Rational(7, 1), Rational(7)); }
  void is_reduced() {
    const Rational half(50, 100);
    CPPUNIT_ASSERT_EQUAL(1L, half.numerator());
    CPPUNIT_ASSERT_EQUAL(2L, half.denominator());
  }
  void has_its_sign_above() {
    const Rational half(1, -2);
    CPPUNIT_ASSERT_EQUAL(-1L, half.numerator());
    CPPUNIT_ASSERT_EQUAL(2L, half.denominator());
  }
  void two_signs_cancel() { CPPUNIT_ASSERT_EQUAL(Rational(1, 2), Rational(-1, -2)); }
  void zero_has_one_form() { CPPUNIT_ASSERT_EQUAL(1L, Rational(0, 17).denominator()); }
  void refuses_zero_below() { Rational(1, 0); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RationalConstructionTest);

class RationalArithmeticTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RationalArithmeticTest);
  CPPUNIT_TEST(adds);
  CPPUNIT_TEST(adds_what_cancels);
  CPPUNIT_TEST(subtracts);
  CPPUNIT_TEST(multiplies);
  CPPUNIT_TEST(multiplies_by_zero);
  CPPUNIT_TEST(divides);
  CPPUNIT_TEST(negates);
  CPPUNIT_TEST(adding_does_not_depend_on_order);
  CPPUNIT_TEST(multiplying_does_not_depend_on_order);
  CPPUNIT_TEST(multiplying_distributes);
  CPPUNIT_TEST_EXCEPTION(refuses_to_divide_by_zero, std::domain_error);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    m_half = Rational(1, 2);
    m_third = Rational(1, 3);
  }
  void adds() { CPPUNIT_ASSERT_EQUAL(Rational(5, 6), m_half + m_third); }
  void adds_what_cancels() { CPPUNIT_ASSERT_EQUAL(Rational(0), m_half + -m_half); }
  void subtracts() { CPPUNIT_ASSERT_EQUAL(Rational(1, 6), m_half - m_third); }
  void multiplies() { CPPUNIT_ASSERT_EQUAL(Rational(1, 6), m_half * m_third); }
  void multiplies_by_zero() { CPPUNIT_ASSERT_EQUAL(Rational(0), m_half * 0); }
  void divides() { CPPUNIT_ASSERT_EQUAL(Rational(3, 2), m_half / m_third); }
  void negates() { CPPUNIT_ASSERT_EQUAL(Rational(-1, 2), -m_half); }
  void adding_does_not_depend_on_order() {
    CPPUNIT_ASSERT_EQUAL(m_half + m_third, m_third + m_half);
  }
  void multiplying_does_not_depend_on_order() {
    CPPUNIT_ASSERT_EQUAL(m_half * m_third, m_third * m_half);
  }
  void multiplying_distributes() {
    CPPUNIT_ASSERT_EQUAL(m_half * m_third + m_half * m_half, m_half * (m_third + m_half));
  }
  void refuses_to_divide_by_zero() { m_half / 0; }

 private:
  Rational m_half;
  Rational m_third;
};
CPPUNIT_TEST_SUITE_REGISTRATION(RationalArithmeticTest);

class RationalOrderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RationalOrderTest);
  CPPUNIT_TEST(smaller);
  CPPUNIT_TEST(not_smaller_than_itself);
  CPPUNIT_TEST(negative_is_smaller);
  CPPUNIT_TEST(equal_in_lowest_terms);
  CPPUNIT_TEST(differs);
  CPPUNIT_TEST(value_is_near);
  CPPUNIT_TEST_SUITE_END();

 public:
  void smaller() { CPPUNIT_ASSERT(Rational(1, 3) < Rational(1, 2)); }
  void not_smaller_than_itself() { CPPUNIT_ASSERT(!(Rational(1, 3) < Rational(2, 6))); }
  void negative_is_smaller() { CPPUNIT_ASSERT(Rational(-1, 2) < Rational(1, 3)); }
  void equal_in_lowest_terms() { CPPUNIT_ASSERT_EQUAL(Rational(2, 4), Rational(3, 6)); }
  void differs() { CPPUNIT_ASSERT(Rational(1, 2) != Rational(1, 3)); }
  void value_is_near() { CPPUNIT_ASSERT_DOUBLES_EQUAL(0.333, Rational(1, 3).value(), 0.001); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RationalOrderTest);

class RationalTextTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RationalTextTest);
  CPPUNIT_TEST(whole);
  CPPUNIT_TEST(fraction);
  CPPUNIT_TEST(negative);
  CPPUNIT_TEST(parses_whole);
  CPPUNIT_TEST(parses_fraction);
  CPPUNIT_TEST(parses_what_it_prints);
  CPPUNIT_TEST(refuses_words);
  CPPUNIT_TEST(refuses_other_signs);
  CPPUNIT_TEST(refuses_a_rest);
  CPPUNIT_TEST(refuses_zero_below);
  CPPUNIT_TEST_SUITE_END();

 public:
  void whole() { CPPUNIT_ASSERT_EQUAL(std::string("7"), Rational(7).text()); }
  void fraction() { CPPUNIT_ASSERT_EQUAL(std::string("7/8"), Rational(7, 8).text()); }
  void negative() { CPPUNIT_ASSERT_EQUAL(std::string("-7/8"), Rational(7, -8).text()); }
  void parses_whole() { CPPUNIT_ASSERT_EQUAL(Rational(7), Rational::parse("7")); }
  void parses_fraction() { CPPUNIT_ASSERT_EQUAL(Rational(-3, 4), Rational::parse("-6/8")); }
  void parses_what_it_prints() {
    CPPUNIT_ASSERT_EQUAL(Rational(22, 7), Rational::parse(Rational(22, 7).text()));
  }
  void refuses_words() { CPPUNIT_ASSERT_THROW(Rational::parse("half"), std::invalid_argument); }
  void refuses_other_signs() {
    CPPUNIT_ASSERT_THROW(Rational::parse("1:2"), std::invalid_argument);
  }
  void refuses_a_rest() { CPPUNIT_ASSERT_THROW(Rational::parse("1/2x"), std::invalid_argument); }
  void refuses_zero_below() { CPPUNIT_ASSERT_THROW(Rational::parse("1/0"), std::domain_error); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RationalTextTest);
