// Fractions of whole numbers, kept in lowest terms.
#pragma once

#include <numeric>
#include <ostream>
#include <stdexcept>
#include <string>

namespace arithmetic {

class Rational {
 public:
  Rational(long numerator = 0, long denominator = 1)
      : m_numerator(numerator), m_denominator(denominator) {
    if (denominator == 0) throw std::domain_error("a fraction over zero");
    if (m_denominator < 0) {
      m_numerator = -m_numerator;
      m_denominator = -m_denominator;
    }
    const long common = std::gcd(m_numerator, m_denominator);
    m_numerator /= common;
    m_denominator /= common;
  }

  // "3", "-3/4"
  static Rational parse(const std::string& text) {
    std::size_t end = 0;
    const long numerator = std::stol(text, &end);
    if (end == text.size()) return {numerator};
    if (text[end] != '/') throw std::invalid_argument("no fraction: " + text);
    const std::string rest = text.substr(end + 1);
    const long denominator = std::stol(rest, &end);
    if (end != rest.size()) throw std::invalid_argument("no fraction: " + text);
    return {numerator, denominator};
  }

  long numerator() const { return m_numerator; }
  long denominator() const { return m_denominator; }
  double value() const {
    return static_cast<double>(m_numerator) / static_cast<double>(m_denominator);
  }
  std::string text() const {
    const std::string numerator = std::to_string(m_numerator);
    return m_denominator == 1 ? numerator : numerator + '/' + std::to_string(m_denominator);
  }

  Rational operator-() const { return {-m_numerator, m_denominator}; }
  Rational operator+(const Rational& other) const {
    return {m_numerator * other.m_denominator + other.m_numerator * m_denominator,
            m_denominator * other.m_denominator};
  }
  Rational operator-(const Rational& other) const { return *this + -other; }
  Rational operator*(const Rational& other) const {
    return {m_numerator * other.m_numerator, m_denominator * other.m_denominator};
  }
  Rational operator/(const Rational& other) const {
    return {m_numerator * other.m_denominator, m_denominator * other.m_numerator};
  }
  bool operator==(const Rational& other) const {
    return m_numerator == other.m_numerator && m_denominator == other.m_denominator;
  }
  bool operator!=(const Rational& other) const { return !(*this == other); }
  bool operator<(const Rational& other) const {
    return m_numerator * other.m_denominator < other.m_numerator * m_denominator;
  }

 private:
  long m_numerator;
  long m_denominator;
};

inline std::ostream& operator<<(std::ostream& out, const Rational& rational) {
  return out << rational.text();
}

}  // namespace arithmetic
