// SPDX-License-Identifier: Apache-2.0
#include "cli/time_format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "core/base/rfc3339.h"

namespace orb8 {
namespace {

constexpr std::int64_t kMoment = 1'700'000'000'012'345'678;  // 2023-11-14 22:13:20 UTC

class TimeText : public ::testing::Test {
 protected:
  void TearDown() override { use_zone("UTC"); }

  static void use_zone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
};

TEST_F(TimeText, HasEveryFormatThatHubbleHas) {
  use_zone("UTC");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kClock), "22:13:20.012");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kDateTime), "2023-11-14 22:13:20");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kStampMilli), "Nov 14 22:13:20.012");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc3339), "2023-11-14T22:13:20Z");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc3339Milli), "2023-11-14T22:13:20.012Z");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc3339Micro), "2023-11-14T22:13:20.012345Z");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc3339Nano), "2023-11-14T22:13:20.012345678Z");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc1123Z), "Tue, 14 Nov 2023 22:13:20 +0000");
}

// POSIX's sign is the other way round: UTC-05:30 is east of Greenwich.
TEST_F(TimeText, IsInTheZoneOfTheMachine) {
  use_zone("IST-05:30");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kClock), "03:43:20.012");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kDateTime), "2023-11-15 03:43:20");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kStampMilli), "Nov 15 03:43:20.012");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc3339), "2023-11-15T03:43:20+05:30");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc1123Z), "Wed, 15 Nov 2023 03:43:20 +0530");
  use_zone("NST03:30");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc3339), "2023-11-14T18:43:20-03:30");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc1123Z), "Tue, 14 Nov 2023 18:43:20 -0330");
}

TEST_F(TimeText, FollowsSummerTime) {
  use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_EQ(time_text(kMoment, TimeFormat::kRfc3339), "2023-11-14T23:13:20+01:00");
  EXPECT_EQ(time_text(1'690'000'000'000'000'000, TimeFormat::kRfc3339),
            "2023-07-22T06:26:40+02:00");
}

TEST_F(TimeText, IsReadBackAsTheSameMoment) {
  for (const char* zone : {"UTC", "IST-05:30", "NST03:30"}) {
    use_zone(zone);
    for (const auto moment : {kMoment, std::int64_t{0}, std::int64_t{-1}}) {
      EXPECT_EQ(parse_rfc3339(time_text(moment, TimeFormat::kRfc3339Nano)), moment) << zone;
    }
  }
}

TEST_F(TimeText, PadsADayAsGoDoes) {
  use_zone("UTC");
  EXPECT_EQ(time_text(0, TimeFormat::kStampMilli), "Jan  1 00:00:00.000");
  EXPECT_EQ(time_width(TimeFormat::kStampMilli), 19U);
}

}  // namespace
}  // namespace orb8
