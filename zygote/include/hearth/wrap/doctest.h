// In front of <doctest.h>: see doctest/doctest.h beside this file.
#pragma GCC system_header
#if defined(DOCTEST_CONFIG_IMPLEMENT) || defined(DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN)
#include <hearth/report_file.hpp>
#define fstream hearth_report_file
#endif
#include_next <doctest.h>
#undef fstream
#include <hearth/doctest.hpp>
