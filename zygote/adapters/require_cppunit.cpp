// The same for hearth-cppunit as require_doctest.cpp for hearth-doctest.
extern "C" char hearth_cppunit_adapter_missing__compile_with_the_flags_of_hearth_cppunit;

extern "C" char* const hearth_require_cppunit_adapter;
char* const hearth_require_cppunit_adapter =
    &hearth_cppunit_adapter_missing__compile_with_the_flags_of_hearth_cppunit;
