#include "text.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace text {  // fixtures in a namespace have its name in theirs

using Strings = std::vector<std::string>;

class TrimTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TrimTest);
  CPPUNIT_TEST(nothing);
  CPPUNIT_TEST(only_space);
  CPPUNIT_TEST(in_front);
  CPPUNIT_TEST(behind);
  CPPUNIT_TEST(both);
  CPPUNIT_TEST(not_inside);
  CPPUNIT_TEST(tabs_and_newlines);
  CPPUNIT_TEST(already_trimmed);
  CPPUNIT_TEST_SUITE_END();

 public:
  void nothing() { expect("", ""); }
  void only_space() { expect("", "   "); }
  void in_front() { expect("a", "  a"); }
  void behind() { expect("a", "a  "); }
  void both() { expect("a", "  a "); }
  void not_inside() { expect("a b", " a b "); }
  void tabs_and_newlines() { expect("a", "\t\na\n\t"); }
  void already_trimmed() { expect("abc", "abc"); }

 private:
  static void expect(const std::string& trimmed, const std::string& from) {
    CPPUNIT_ASSERT_EQUAL(trimmed, trim(from));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TrimTest);

class SplitTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SplitTest);
  CPPUNIT_TEST(nothing);
  CPPUNIT_TEST(one);
  CPPUNIT_TEST(several);
  CPPUNIT_TEST(empty_parts);
  CPPUNIT_TEST(separator_at_the_ends);
  CPPUNIT_TEST(only_separators);
  CPPUNIT_TEST(other_separators_stay);
  CPPUNIT_TEST(is_joined_again);
  CPPUNIT_TEST_SUITE_END();

 public:
  void nothing() { CPPUNIT_ASSERT((split("", ',') == Strings{""})); }
  void one() { CPPUNIT_ASSERT((split("a", ',') == Strings{"a"})); }
  void several() { CPPUNIT_ASSERT((split("a,b,c", ',') == Strings{"a", "b", "c"})); }
  void empty_parts() { CPPUNIT_ASSERT((split("a,,c", ',') == Strings{"a", "", "c"})); }
  void separator_at_the_ends() { CPPUNIT_ASSERT((split(",a,", ',') == Strings{"", "a", ""})); }
  void only_separators() { CPPUNIT_ASSERT_EQUAL(std::size_t{4}, split(",,,", ',').size()); }
  void other_separators_stay() { CPPUNIT_ASSERT((split("a;b", ',') == Strings{"a;b"})); }
  void is_joined_again() {
    CPPUNIT_ASSERT_EQUAL(std::string(",a,,b"), join(split(",a,,b", ','), ","));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SplitTest);

class JoinTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JoinTest);
  CPPUNIT_TEST(nothing);
  CPPUNIT_TEST(one);
  CPPUNIT_TEST(several);
  CPPUNIT_TEST(long_separators);
  CPPUNIT_TEST(no_separator);
  CPPUNIT_TEST(empty_parts);
  CPPUNIT_TEST_SUITE_END();

 public:
  void nothing() { CPPUNIT_ASSERT_EQUAL(std::string(), join({}, ",")); }
  void one() { CPPUNIT_ASSERT_EQUAL(std::string("a"), join({"a"}, ",")); }
  void several() { CPPUNIT_ASSERT_EQUAL(std::string("a,b"), join({"a", "b"}, ",")); }
  void long_separators() {
    CPPUNIT_ASSERT_EQUAL(std::string("a and b"), join({"a", "b"}, " and "));
  }
  void no_separator() { CPPUNIT_ASSERT_EQUAL(std::string("ab"), join({"a", "b"}, "")); }
  void empty_parts() { CPPUNIT_ASSERT_EQUAL(std::string(",,"), join({"", "", ""}, ",")); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(JoinTest);

class CaseTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CaseTest);
  CPPUNIT_TEST(nothing);
  CPPUNIT_TEST(small_letters);
  CPPUNIT_TEST(mixed);
  CPPUNIT_TEST(no_letters);
  CPPUNIT_TEST_SUITE_END();

 public:
  void nothing() { CPPUNIT_ASSERT_EQUAL(std::string(), upper("")); }
  void small_letters() { CPPUNIT_ASSERT_EQUAL(std::string("ABC"), upper("abc")); }
  void mixed() { CPPUNIT_ASSERT_EQUAL(std::string("ABC"), upper("aBc")); }
  void no_letters() { CPPUNIT_ASSERT_EQUAL(std::string("1 2"), upper("1 2")); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(CaseTest);

class StartsWithTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StartsWithTest);
  CPPUNIT_TEST(itself);
  CPPUNIT_TEST(nothing);
  CPPUNIT_TEST(a_start);
  CPPUNIT_TEST(no_start);
  CPPUNIT_TEST(longer_than_itself);
  CPPUNIT_TEST_SUITE_END();

 public:
  void itself() { CPPUNIT_ASSERT(starts_with("abc", "abc")); }
  void nothing() { CPPUNIT_ASSERT(starts_with("abc", "")); }
  void a_start() { CPPUNIT_ASSERT(starts_with("abc", "ab")); }
  void no_start() { CPPUNIT_ASSERT(!starts_with("abc", "bc")); }
  void longer_than_itself() { CPPUNIT_ASSERT(!starts_with("abc", "abcd")); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(StartsWithTest);

class ReplaceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReplaceTest);
  CPPUNIT_TEST(nothing_to_replace);
  CPPUNIT_TEST(once);
  CPPUNIT_TEST(everywhere);
  CPPUNIT_TEST(by_nothing);
  CPPUNIT_TEST(by_more);
  CPPUNIT_TEST(by_itself_and_more);
  CPPUNIT_TEST(not_what_it_made);
  CPPUNIT_TEST(nothing_by_something);
  CPPUNIT_TEST_SUITE_END();

 public:
  void nothing_to_replace() { expect("abc", "abc", "x", "y"); }
  void once() { expect("axc", "abc", "b", "x"); }
  void everywhere() { expect("xbxb", "abab", "a", "x"); }
  void by_nothing() { expect("bb", "abab", "a", ""); }
  void by_more() { expect("a--b", "a.b", ".", "--"); }
  void by_itself_and_more() { expect("aab", "ab", "a", "aa"); }
  void not_what_it_made() { expect("ab", "aab", "aa", "a"); }
  void nothing_by_something() { expect("abc", "abc", "", "x"); }

 private:
  static void expect(const std::string& result, const std::string& from, const std::string& what,
                     const std::string& with) {
    CPPUNIT_ASSERT_EQUAL(result, replace(from, what, with));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ReplaceTest);

}  // namespace text
