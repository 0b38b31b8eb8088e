// SPDX-License-Identifier: Apache-2.0
#include "core/base/rfc3339.h"

#include <gtest/gtest.h>

namespace orb8 {
namespace {

TEST(Rfc3339, CountsNanosecondsSinceTheEpoch) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("2026-11-24T02:47:39Z"), 1795488459'000000000);
  EXPECT_EQ(parse_rfc3339("2026-11-24T02:47:39.123456Z"), 1795488459'123456000);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999999999999Z"), -1);
}

TEST(Rfc3339, TakesTheOffsetOff) {
  EXPECT_EQ(parse_rfc3339("2026-11-24T04:17:39+01:30"), parse_rfc3339("2026-11-24T02:47:39Z"));
  EXPECT_EQ(parse_rfc3339("2026-11-23T18:47:39-08:00"), parse_rfc3339("2026-11-24T02:47:39Z"));
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2026", "2026-11-24", "2026-11-24T02:47:39", "2026-11-24 02:47:39Z",
                           "2026-02-30T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T02:60:00Z",
                           "2026-11-24T02:47:39Zx", "2026-11-24T02:47:39.",
                           "2026-11-24T02:47:39.Zx", "2026-1a-24T02:47:39Z", "0001-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z", "2026-11-24T02:47:39+1:00"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace orb8
