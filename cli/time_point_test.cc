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

TEST(TimePoint, IsAnyDayAndTimeAsTheTimeFormatsWriteThem) {
  constexpr std::int64_t kDay = 86'400 * kSecond;
  for (const auto days : {0, 1, 9, 200, 5'000}) {
    const auto then = kNow - days * kDay - kSecond + 123'000'000;
    const auto text = time_text(then, TimeFormat::kDateTime);
    EXPECT_EQ(moment(text), then - 123'000'000) << text;
    EXPECT_EQ(moment(text + ".123"), then) << text;
    EXPECT_EQ(moment(text.substr(0, 16)), then - 19'123'000'000) << text;
  }
  for (const auto days : {0, 1, 9, 200, 364}) {
    const auto then = kNow - days * kDay - kSecond + 123'000'000;
    const auto text = time_text(then, TimeFormat::kStampMilli);
    EXPECT_EQ(moment(text), then) << text;
  }
}

TEST(TimePoint, IsADayFromItsLocalMidnightOn) {
  EXPECT_EQ(moment("2023-11-14"), moment("2023-11-14 00:00:00"));
  EXPECT_EQ(time_text(moment("2023-11-14"), TimeFormat::kDateTime), "2023-11-14 00:00:00");
}

TEST(TimePoint, IsADayWithoutItsYearTheLastTimeThatItWas) {
  EXPECT_EQ(moment("Dec 31 12:00:00.000"), moment("2022-12-31 12:00"));
  EXPECT_EQ(moment("Nov  1 12:00:00.000"), moment("2023-11-01 12:00"));
  EXPECT_EQ(moment("Feb 29 12:00:00.000"), moment("2020-02-29 12:00"));
}

TEST(TimePoint, IsNothingElse) {
  for (const auto* text : {"",
                           "5",
                           "2023",
                           "-5m",
                           "now",
                           "5x",
                           "24:00",
                           "12:60",
                           "1:00",
                           "12:",
                           "12:00:60",
                           "12:00:00.",
                           "12:00:00.1234567890",
                           "12:00 ",
                           "0s",
                           "2023-13-14T00:00:00Z",
                           "1960-01-01T00:00:00Z",
                           "2023-11-14 ",
                           "2023-11-14 5",
                           "2023-11",
                           "2023-02-29",
                           "2023-00-10",
                           "2023-13-01",
                           "1960-01-01",
                           "9999-01-01",
                           "20231114",
                           "2023-11-14 24:00",
                           "Nov 14",
                           "Nov 31 12:00:00.000",
                           "Nov 14 12",
                           "nov 14 12:00:00.000",
                           "Nov",
                           "Nov  12:00:00.000",
                           "Mon, 14 Nov 2023 22:13:20 +0000"}) {
    EXPECT_EQ(parse_time_point(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace orb8
