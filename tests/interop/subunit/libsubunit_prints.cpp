/* Prints, through libsubunit, one of everything it can print. codec_test.py knows what that is. */
#include <stdio.h>
#include <subunit/child.h>

int main(void) {
  subunit_progress(SUBUNIT_PROGRESS_SET, 4);
  subunit_progress(SUBUNIT_PROGRESS_CUR, 2);
  subunit_progress(SUBUNIT_PROGRESS_CUR, -2);
  subunit_progress(SUBUNIT_PROGRESS_PUSH, 0);
  subunit_test_start("Suite::pass");
  subunit_test_pass("Suite::pass");
  subunit_test_start("Suite::fail");
  subunit_test_fail("Suite::fail", "foo.cpp:12\n- assertion failed");
  subunit_test_start("Suite::error");
  subunit_test_error("Suite::error", "thrown");
  puts("printed between tests");
  subunit_test_start("Suite::skip");
  subunit_test_skip("Suite::skip", "no disk");
  subunit_progress(SUBUNIT_PROGRESS_POP, 0);
  return 0;
}
