// double_stringification.cpp of doctest's example asks for this part of doctest.h, which Debian ships whole.
#include <doctest/doctest.h>
