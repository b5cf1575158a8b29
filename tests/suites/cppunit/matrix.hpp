// Small square matrices.
#pragma once

#include <array>
#include <cstddef>

template <typename T>
struct Matrix {
  std::array<T, 4> cells{};

  static Matrix identity() { return {{T(1), T(0), T(0), T(1)}}; }
  T operator()(std::size_t row, std::size_t column) const { return cells.at(row * 2 + column); }
  Matrix operator+(const Matrix& other) const {
    Matrix sum;
    for (std::size_t i = 0; i < 4; ++i) sum.cells[i] = cells[i] + other.cells[i];
    return sum;
  }
  Matrix operator*(const Matrix& other) const {
    const Matrix& a = *this;
    const Matrix& b = other;
    return {{a(0, 0) * b(0, 0) + a(0, 1) * b(1, 0), a(0, 0) * b(0, 1) + a(0, 1) * b(1, 1),
             a(1, 0) * b(0, 0) + a(1, 1) * b(1, 0), a(1, 0) * b(0, 1) + a(1, 1) * b(1, 1)}};
  }
  Matrix operator*(T factor) const {
    Matrix product;
    for (std::size_t i = 0; i < 4; ++i) product.cells[i] = cells[i] * factor;
    return product;
  }
  Matrix transposed() const { return {{cells[0], cells[2], cells[1], cells[3]}}; }
  T determinant() const { return cells[0] * cells[3] - cells[1] * cells[2]; }
  T trace() const { return cells[0] + cells[3]; }
  bool operator==(const Matrix& other) const { return cells == other.cells; }
};
