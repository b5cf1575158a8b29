// A library that relinked.cpp loads, in two builds of one name.
extern "C" const char* advice() {
  return ADVICE_BUILD;
}
