// In front of <doctest/doctest.h>: doctest's own header, and behind its implementation Hearth's adapter.
// No include guard: a source file may include doctest's header for its declarations first, and again for the
// implementation.
#pragma GCC system_header
#if defined(DOCTEST_CONFIG_IMPLEMENT) || defined(DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN)
#include <hearth/report_file.hpp>
#define fstream hearth_report_file
#endif
#include_next <doctest/doctest.h>
#undef fstream
#include <hearth/doctest.hpp>
