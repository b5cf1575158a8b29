// Tests that fail: what has gone wrong has to arrive as well as what has not.
#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

#include "rational.hpp"
#include "text.hpp"

using arithmetic::Rational;

class KnownProblemsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KnownProblemsTest);
  CPPUNIT_TEST(values_that_differ);
  CPPUNIT_TEST(values_with_a_message);
  CPPUNIT_TEST(texts_that_differ);
  CPPUNIT_TEST(numbers_not_near);
  CPPUNIT_TEST(a_condition);
  CPPUNIT_TEST(on_demand);
  CPPUNIT_TEST(an_exception_nobody_expects);
  CPPUNIT_TEST(no_exception_at_all);
  CPPUNIT_TEST_EXCEPTION(another_exception_than_expected, std::domain_error);
  CPPUNIT_TEST_EXCEPTION(no_exception_though_expected, std::domain_error);
  CPPUNIT_TEST(not_even_an_exception);
  CPPUNIT_TEST_FAIL(fails_as_it_should);
  CPPUNIT_TEST_FAIL(passes_though_it_should_not);
  CPPUNIT_TEST_SUITE_END();

 public:
  void values_that_differ() { CPPUNIT_ASSERT_EQUAL(Rational(1, 2), Rational(1, 3)); }
  void values_with_a_message() {
    CPPUNIT_ASSERT_EQUAL_MESSAGE("halves", Rational(1, 2), Rational(2, 3));
  }
  void texts_that_differ() { CPPUNIT_ASSERT_EQUAL(std::string("a\nb"), text::upper("a\nb")); }
  void numbers_not_near() { CPPUNIT_ASSERT_DOUBLES_EQUAL(1.0, Rational(1, 2).value(), 0.1); }
  void a_condition() { CPPUNIT_ASSERT(Rational(1, 2) < Rational(1, 3)); }
  void on_demand() { CPPUNIT_FAIL("not written yet"); }
  void an_exception_nobody_expects() { Rational(1, 0); }
  void no_exception_at_all() { CPPUNIT_ASSERT_THROW(Rational(1, 1), std::domain_error); }
  void another_exception_than_expected() { throw std::runtime_error("another"); }
  void no_exception_though_expected() {}
  void not_even_an_exception() { throw 42; }
  void fails_as_it_should() { CPPUNIT_FAIL("as it should"); }
  void passes_though_it_should_not() {}
};
CPPUNIT_TEST_SUITE_REGISTRATION(KnownProblemsTest);

class FailingSetUpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FailingSetUpTest);
  CPPUNIT_TEST(is_never_run);
  CPPUNIT_TEST(nor_is_this);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { throw std::runtime_error("no licence"); }
  void is_never_run() { CPPUNIT_FAIL("run all the same"); }
  void nor_is_this() { CPPUNIT_FAIL("run all the same"); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(FailingSetUpTest);
