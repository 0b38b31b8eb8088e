// SPDX-License-Identifier: Apache-2.0
#include "core/export/utf8.h"

#include <gtest/gtest.h>

namespace orb8 {
namespace {

TEST(Utf8, LeavesWhatIsValidAsItIs) {
  for (const auto* text : {"", "eth0", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                           "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Utf8, ReplacesEachByteThatBelongsToNoCharacter) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(valid_utf8("eth\xFF"), "eth" + mark);
  EXPECT_EQ(valid_utf8("\x80x"), mark + "x") << "continues nothing";
  EXPECT_EQ(valid_utf8("\xC3"), mark) << "cut short";
  EXPECT_EQ(valid_utf8("\xE2\x82x"), mark + mark + "x") << "cut short by another";
  EXPECT_EQ(valid_utf8("\xC0\x80"), mark + mark) << "an overlong NUL";
  EXPECT_EQ(valid_utf8("\xE0\x80\x80"), mark + mark + mark) << "overlong";
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), mark + mark + mark) << "a surrogate";
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), mark + mark + mark + mark) << "above U+10FFFF";
}

TEST(Utf8, QuotesInOneLineOfBoundedLength) {
  EXPECT_EQ(quotable("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(quotable("a\nb\x1b[31m\x7f"), "a?b?[31m?");
  EXPECT_EQ(quotable("abcdef", 4), "abcd...");
  EXPECT_EQ(quotable("abc\xC3\xA9", 4), "abc\xEF\xBF\xBD...");
}

}  // namespace
}  // namespace orb8
