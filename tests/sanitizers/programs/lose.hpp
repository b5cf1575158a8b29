// Leaks memory: nothing points to it any more.
#pragma once

#include <cstddef>
#include <cstdlib>

__attribute__((noinline)) inline void lose(std::size_t bytes) {
  static void* volatile held = nullptr;
  held = std::malloc(bytes);
  held = nullptr;
}
