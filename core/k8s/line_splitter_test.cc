// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace orb8::k8s {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

struct Lines {
  explicit Lines(std::size_t max = 1000) : splitter(max) {}
  bool feed(std::string_view part) {
    return splitter.feed(part, [&](std::string& line) { return take(line); });
  }
  bool finish() {
    return splitter.finish([&](std::string& line) { return take(line); });
  }
  bool take(const std::string& line) {
    found.push_back(line);
    return line != "enough";
  }
  LineSplitter splitter;
  std::vector<std::string> found;
};

TEST(LineSplitter, FindsTheSameLinesWhereverTheBytesAreSplit) {
  const std::string text = "first\n\nsecond line\nx\n";
  for (std::size_t at = 0; at <= text.size(); ++at) {
    Lines lines;
    EXPECT_TRUE(lines.feed(text.substr(0, at)));
    EXPECT_TRUE(lines.feed(text.substr(at)));
    EXPECT_THAT(lines.found, ElementsAre("first", "second line", "x")) << at;
  }
}

TEST(LineSplitter, GivesALineWithoutAnEndOnlyWhenTheStreamIsFinished) {
  Lines lines;
  lines.feed("one\ntw");
  lines.feed("o");
  EXPECT_THAT(lines.found, ElementsAre("one"));
  lines.finish();
  lines.finish();
  EXPECT_THAT(lines.found, ElementsAre("one", "two"));
}

TEST(LineSplitter, DropsAndCountsALineThatIsTooLong) {
  Lines lines(8);
  lines.feed("12345678\n123456789\nnext\n1234");
  lines.feed("56789");
  lines.feed("0123\nlast\n");
  EXPECT_THAT(lines.found, ElementsAre("12345678", "next", "last"));
  EXPECT_EQ(lines.splitter.too_long(), 2U);
}

TEST(LineSplitter, StopsWhenNoMoreLinesAreWanted) {
  Lines lines;
  EXPECT_FALSE(lines.feed("enough\nmore\n"));
  EXPECT_THAT(lines.found, ElementsAre("enough"));
}

TEST(LineSplitter, TakesALineOfManyMegabytes) {
  Lines lines(20U << 20U);
  const std::string part(1U << 16U, 'x');
  for (int i = 0; i < 256; ++i) lines.feed(part);
  lines.feed("\nshort\n");
  ASSERT_THAT(lines.found, SizeIs(2));
  EXPECT_THAT(lines.found[0], SizeIs(16U << 20U));
  EXPECT_EQ(lines.found[1], "short");
}

}  // namespace
}  // namespace orb8::k8s
