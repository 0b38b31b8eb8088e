// SPDX-License-Identifier: Apache-2.0
#include "core/flow/label_selector.h"

#include <gtest/gtest.h>

#include <string>

namespace orb8 {
namespace {

const LabelSelector::Labels kWeb = {
    {"app", "web"}, {"empty", ""}, {"example.com/tier", "front"}, {"replica", "7"}};

bool selects(std::string_view text, const LabelSelector::Labels& labels = kWeb) {
  const auto selector = LabelSelector::parse(text);
  EXPECT_TRUE(selector) << text;
  return selector && selector->matches(labels);
}

TEST(LabelSelector, ComparesAValue) {
  EXPECT_TRUE(selects("app=web"));
  EXPECT_TRUE(selects("app == web"));
  EXPECT_FALSE(selects("app=db"));
  EXPECT_TRUE(selects("app!=db"));
  EXPECT_FALSE(selects("app != web"));
  EXPECT_TRUE(selects("example.com/tier=front"));
  EXPECT_TRUE(selects("empty="));
  EXPECT_FALSE(selects("app="));
}

TEST(LabelSelector, AsksWhetherALabelIsThere) {
  EXPECT_TRUE(selects("app"));
  EXPECT_FALSE(selects("!app"));
  EXPECT_FALSE(selects("canary"));
  EXPECT_TRUE(selects("! canary"));
}

TEST(LabelSelector, KnowsSets) {
  EXPECT_TRUE(selects("app in (db, web)"));
  EXPECT_TRUE(selects("app in(web)"));
  EXPECT_FALSE(selects("app in (db,cache)"));
  EXPECT_TRUE(selects("app notin (db,cache)"));
  EXPECT_FALSE(selects("app notin (web)"));
  EXPECT_TRUE(selects("empty in (,x)")) << "an empty value is one";
}

TEST(LabelSelector, HoldsNotWhereTheLabelIsMissing) {
  EXPECT_TRUE(selects("canary!=yes"));
  EXPECT_TRUE(selects("canary notin (yes)"));
  EXPECT_FALSE(selects("canary=yes"));
  EXPECT_FALSE(selects("canary in (yes)"));
}

TEST(LabelSelector, ComparesNumbers) {
  EXPECT_TRUE(selects("replica>6"));
  EXPECT_FALSE(selects("replica > 7"));
  EXPECT_TRUE(selects("replica<8"));
  EXPECT_FALSE(selects("app>1")) << "no number";
  EXPECT_FALSE(selects("canary<1")) << "no label";
}

TEST(LabelSelector, WantsAllItsRequirements) {
  EXPECT_TRUE(selects("app=web,replica in (7, 8), !canary"));
  EXPECT_FALSE(selects("app=web,replica in (8)"));
}

TEST(LabelSelector, SelectsEverythingWhenEmpty) {
  EXPECT_TRUE(selects(""));
  EXPECT_TRUE(selects("  ", {}));
}

// "in" and "notin" are keys as good as others.
TEST(LabelSelector, TakesItsOwnWordsForKeys) {
  EXPECT_TRUE(selects("in=x", {{"in", "x"}}));
  EXPECT_TRUE(selects("in in (x)", {{"in", "x"}}));
  EXPECT_TRUE(selects("notin", {{"notin", ""}}));
}

TEST(LabelSelector, RefusesWhatIsNone) {
  for (const auto* text :
       {",",          "app=web,",    ",app",       "app web",  "app in",         "app in (",
        "app in web", "app in (web", "app in ()x", "app>x",    "app<",           "=web",
        "!",          "!app=web",    "app=web=db", "app=a/b",  "a/b/c",          "/app",
        "app/",       "-app",        "app.",       "app=web;", "app in (web) x", "app~web"}) {
    EXPECT_FALSE(LabelSelector::parse(text)) << text;
  }
  EXPECT_FALSE(LabelSelector::parse(std::string(64, 'a'))) << "a name has 63 bytes at most";
}

}  // namespace
}  // namespace orb8
