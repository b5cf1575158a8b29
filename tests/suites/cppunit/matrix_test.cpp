#include "matrix.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

#include "rational.hpp"

// A fixture for every type of cell, and one that adds to it what only numbers with division have.
template <typename T>
class MatrixTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MatrixTest);
  CPPUNIT_TEST(is_zero_by_default);
  CPPUNIT_TEST(identity_changes_nothing);
  CPPUNIT_TEST(identity_changes_nothing_from_the_left);
  CPPUNIT_TEST(adds);
  CPPUNIT_TEST(multiplies);
  CPPUNIT_TEST(multiplying_depends_on_order);
  CPPUNIT_TEST(multiplies_by_a_number);
  CPPUNIT_TEST(transposes);
  CPPUNIT_TEST(transposing_twice_changes_nothing);
  CPPUNIT_TEST(determinant);
  CPPUNIT_TEST(determinant_of_a_product);
  CPPUNIT_TEST(trace);
  CPPUNIT_TEST(equal);
  CPPUNIT_TEST(not_equal);
  CPPUNIT_TEST_EXCEPTION(refuses_a_third_row, std::out_of_range);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    m_a = {{T(1), T(2), T(3), T(4)}};
    m_b = {{T(0), T(1), T(1), T(1)}};
  }
  void is_zero_by_default() { CPPUNIT_ASSERT(Matrix<T>().determinant() == T(0)); }
  void identity_changes_nothing() { CPPUNIT_ASSERT(m_a * Matrix<T>::identity() == m_a); }
  void identity_changes_nothing_from_the_left() {
    CPPUNIT_ASSERT(Matrix<T>::identity() * m_a == m_a);
  }
  void adds() { CPPUNIT_ASSERT((m_a + m_b == Matrix<T>{{T(1), T(3), T(4), T(5)}})); }
  void multiplies() { CPPUNIT_ASSERT((m_a * m_b == Matrix<T>{{T(2), T(3), T(4), T(7)}})); }
  void multiplying_depends_on_order() { CPPUNIT_ASSERT(!(m_a * m_b == m_b * m_a)); }
  void multiplies_by_a_number() { CPPUNIT_ASSERT((m_a * T(2) == m_a + m_a)); }
  void transposes() { CPPUNIT_ASSERT(m_a.transposed()(0, 1) == T(3)); }
  void transposing_twice_changes_nothing() { CPPUNIT_ASSERT(m_a.transposed().transposed() == m_a); }
  void determinant() { CPPUNIT_ASSERT(m_a.determinant() == T(-2)); }
  void determinant_of_a_product() {
    CPPUNIT_ASSERT((m_a * m_b).determinant() == m_a.determinant() * m_b.determinant());
  }
  void trace() { CPPUNIT_ASSERT(m_a.trace() == T(5)); }
  void equal() { CPPUNIT_ASSERT(m_a == m_a); }
  void not_equal() { CPPUNIT_ASSERT(!(m_a == m_b)); }
  void refuses_a_third_row() { m_a(2, 0); }

 protected:
  Matrix<T> m_a;
  Matrix<T> m_b;
};

template <typename T>
class InvertibleMatrixTest : public MatrixTest<T> {
  CPPUNIT_TEST_SUB_SUITE(InvertibleMatrixTest, MatrixTest<T>);
  CPPUNIT_TEST(inverse);
  CPPUNIT_TEST(determinant_of_the_inverse);
  CPPUNIT_TEST_SUITE_END();

 public:
  void inverse() { CPPUNIT_ASSERT(this->m_b * inverted(this->m_b) == Matrix<T>::identity()); }
  void determinant_of_the_inverse() {
    CPPUNIT_ASSERT(inverted(this->m_b).determinant() * this->m_b.determinant() == T(1));
  }

 private:
  static Matrix<T> inverted(const Matrix<T>& matrix) {
    const Matrix<T> adjugate{{matrix(1, 1), -matrix(0, 1), -matrix(1, 0), matrix(0, 0)}};
    return adjugate * (T(1) / matrix.determinant());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MatrixTest<int>);
CPPUNIT_TEST_SUITE_REGISTRATION(MatrixTest<long>);
CPPUNIT_TEST_SUITE_REGISTRATION(MatrixTest<unsigned>);
CPPUNIT_TEST_SUITE_REGISTRATION(InvertibleMatrixTest<double>);
CPPUNIT_TEST_SUITE_REGISTRATION(InvertibleMatrixTest<arithmetic::Rational>);
