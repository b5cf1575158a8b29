// In a sanitizer build the zygote's code in these programs is instrumented, and the programs' own
// is not. A crash on purpose has to stay the crash it is.
extern "C" const char* __asan_default_options() {
  return "handle_abort=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:detect_"
         "leaks=0";
}
