// Linked in by the flag -u of the pkg-config module hearth-doctest: a program that was linked with
// the module, but compiled without the adapter, fails to link, and the name of what is missing says
// what to do.
extern "C" const char hearth_doctest_adapter_missing__include_hearth_doctest_hpp_after_doctest_h;

extern "C" const char* const hearth_require_doctest_adapter;
const char* const hearth_require_doctest_adapter =
    &hearth_doctest_adapter_missing__include_hearth_doctest_hpp_after_doctest_h;
