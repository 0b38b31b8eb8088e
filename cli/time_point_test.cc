// SPDX-License-Identifier: Apache-2.0
#include "cli/time_point.h"

#include <gtest/gtest.h>

#include "cli/format.h"
#include "cli/time_format.h"

namespace orb8 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'700'000'000 * kSecond;  // 2023-11-14T22:13:20Z

std::int64_t moment(std::string_view text) {
  const auto time = parse_time_point(text, kNow);
  return time ? time->at(kNow) : -1;
}

TEST(TimePoint, IsADurationBackThatMovesWithThePresent) {
  EXPECT_EQ(moment("5m"), kNow - 300 * kSecond);
  EXPECT_EQ(parse_time_point("5m", kNow).value_or(TimePoint()).at(kNow + kSecond),
            kNow - 299 * kSecond);
  EXPECT_EQ(parse_time_point("24000h", kNow).value_or(TimePoint()).at(kSecond), 1)
      << "before 1970 there is nothing";
}

TEST(TimePoint, IsAnInstantOfRfc3339ThatStands) {
  EXPECT_EQ(moment("2023-11-14T22:00:00Z"), kNow - 800 * kSecond);
  EXPECT_EQ(moment("2023-11-14T23:00:00.5+01:00"), kNow - 800 * kSecond + kSecond / 2);
  EXPECT_EQ(parse_time_point("2023-11-14T22:00:00Z", kNow).value_or(TimePoint()).at(kNow + kSecond),
            kNow - 800 * kSecond);
}

TEST(TimePoint, IsALocalTimeOfDayAsTablesShowItTheLastOneThatWas) {
  for (const auto ago : {std::int64_t{1}, std::int64_t{3'600}, std::int64_t{80'000}}) {
    const auto then = kNow - ago * kSecond + 123'000'000 - kSecond;
    EXPECT_EQ(moment(time_text(then, TimeFormat::kClock)), then)
        << time_text(then, TimeFormat::kClock);
    EXPECT_EQ(moment(time_text(then, TimeFormat::kClock).substr(0, 8)), then - 123'000'000);
  }
}

TEST(TimePoint, IsNothingElse) {
  for (const auto* text : {"", "5", "2023", "-5m", "now", "5x", "24:00", "12:60", "1:00",
                           "12:", "12:00:60", "12:00:00.", "12:00:00.1234567890", "12:00 ", "0s",
                           "2023-11-14", "2023-13-14T00:00:00Z", "1960-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_time_point(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace orb8
