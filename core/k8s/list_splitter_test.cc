// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/list_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/k8s/recorded.h"

namespace orb8::k8s {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Items {
  explicit Items(std::size_t max = 1U << 20U) : splitter(max) {}
  bool feed(std::string_view part) {
    return splitter.feed(part, [&](std::string& item) { found.push_back(item); });
  }
  ListSplitter splitter;
  std::vector<std::string> found;
};

TEST(ListSplitter, FindsTheSameItemsWhereverTheBytesAreSplit) {
  const std::string list =
      R"({"kind":"PodList", "metadata":{"items":[{"not":"one"}]}, "items" : [ {"a":"]}\"{"}, )"
      R"(null, {"items":[{}]} ], "z":[1]})"
      "\n";
  for (std::size_t at = 0; at <= list.size(); ++at) {
    Items items;
    EXPECT_TRUE(items.feed(list.substr(0, at)));
    EXPECT_TRUE(items.feed(list.substr(at)));
    EXPECT_THAT(items.found, ElementsAre(R"({"a":"]}\"{"})", R"({"items":[{}]})")) << at;
    EXPECT_TRUE(items.splitter.complete());
    EXPECT_EQ(items.splitter.head(),
              R"({"kind":"PodList", "metadata":{"items":[{"not":"one"}]}, "items" : [], "z":[1]})"
              "\n");
  }
}

TEST(ListSplitter, CutsARecordedListByteByByte) {
  Items items;
  for (const char c : recorded("pods-list.json")) EXPECT_TRUE(items.feed({&c, 1}));
  EXPECT_TRUE(items.splitter.complete());
  EXPECT_THAT(items.found, SizeIs(9));
  EXPECT_LT(items.splitter.head().size(), 200U);
}

TEST(ListSplitter, IsCompleteWithTheLastBrace) {
  Items items;
  items.feed(R"({"items":[{"a":1})");
  EXPECT_THAT(items.found, SizeIs(1));
  EXPECT_FALSE(items.splitter.complete());
  items.feed("]");
  EXPECT_FALSE(items.splitter.complete());
  items.feed("}");
  EXPECT_TRUE(items.splitter.complete());
}

TEST(ListSplitter, TakesListsWithoutItems) {
  for (const char* list : {R"({"items":[]})", R"({"items":null})", R"({"kind":"PodList"})"}) {
    Items items;
    EXPECT_TRUE(items.feed(list));
    EXPECT_TRUE(items.splitter.complete());
    EXPECT_THAT(items.found, IsEmpty());
    EXPECT_EQ(items.splitter.head(), list);
  }
}

TEST(ListSplitter, DropsAndCountsAnItemThatIsTooLong) {
  Items items(12);
  EXPECT_TRUE(items.feed(R"({"items":[{"a":"12"},{"a":"1234567"},{"b":"34"}]})"));
  EXPECT_THAT(items.found, ElementsAre(R"({"a":"12"})", R"({"b":"34"})"));
  EXPECT_EQ(items.splitter.too_long(), 1U);
  EXPECT_TRUE(items.splitter.complete());
}

TEST(ListSplitter, RefusesWhatIsNoList) {
  for (const char* text :
       {"upstream connect error", "]", R"({"items":[]}})", R"({"items":[]} x)", "{}{}"}) {
    Items items;
    EXPECT_FALSE(items.feed(text)) << text;
    EXPECT_FALSE(items.splitter.complete()) << text;
  }
  Items items;
  items.feed(R"({"kind":")");
  EXPECT_FALSE(items.feed(std::string(2U << 20U, 'x')));
}

}  // namespace
}  // namespace orb8::k8s
