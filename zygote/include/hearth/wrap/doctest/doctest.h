// In front of <doctest/doctest.h>: doctest's own header, and behind its implementation Hearth's adapter.
// No include guard: a source file may include doctest's header for its declarations first, and again for the
// implementation.
#pragma GCC system_header
#include_next <doctest/doctest.h>
#include <hearth/doctest.hpp>
