// In front of <doctest.h>: see doctest/doctest.h beside this file.
#pragma GCC system_header
#include_next <doctest.h>
#include <hearth/doctest.hpp>
