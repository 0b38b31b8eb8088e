// SPDX-License-Identifier: Apache-2.0
#include "cli/time_point.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <string>

#include "cli/format.h"
#include "cli/time_format.h"
#include "core/base/clock.h"
#include "core/base/rfc3339.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr int kFirstTmYear = 1900;
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2261;

// Two digits below `end` in front of the text, which are taken off it.
std::optional<int> take_two(std::string_view& text, std::uint64_t end) {
  if (text.size() < 2 || text.substr(0, 2).find_first_not_of("0123456789") != text.npos) return {};
  const auto number = parse_unsigned(text.substr(0, 2));
  text.remove_prefix(2);
  if (!number || *number >= end) return {};
  return static_cast<int>(*number);
}

// ".123" as nanoseconds; of no text, 0.
std::optional<std::int64_t> parse_fraction(std::string_view text) {
  constexpr std::size_t kDigits = 9;
  if (text.empty()) return 0;
  if (text.front() != '.' || text.size() < 2 || text.size() > kDigits + 1) return {};
  std::string digits(text.substr(1));
  if (digits.find_first_not_of("0123456789") != std::string::npos) return {};
  digits.resize(kDigits, '0');
  return static_cast<std::int64_t>(parse_unsigned(digits).value_or(0));
}

// "17:27", "17:27:47" or "17:27:47.123": all of the text.
struct TimeOfDay {
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t ns = 0;
};

std::optional<TimeOfDay> parse_time_of_day(std::string_view text) {
  const auto hour = take_two(text, 24);
  if (!hour || !text.starts_with(':')) return {};
  text.remove_prefix(1);
  const auto minute = take_two(text, 60);
  if (!minute) return {};
  std::optional<int> second = 0;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    second = take_two(text, 60);
  }
  const auto fraction = parse_fraction(text);
  if (!second || !fraction) return {};
  return TimeOfDay{.hour = *hour, .minute = *minute, .second = *second, .ns = *fraction};
}

std::tm local_now(std::int64_t now_ns) {
  const std::time_t now = now_ns / kNsPerSecond;
  std::tm local = {};
  ::localtime_r(&now, &local);
  return local;
}

// Of a day and its time.
std::int64_t local_time(std::tm day, const TimeOfDay& time) {
  day.tm_hour = time.hour;
  day.tm_min = time.minute;
  day.tm_sec = time.second;
  day.tm_isdst = -1;  // as it was that day
  return std::int64_t{::mktime(&day)} * kNsPerSecond + time.ns;
}

// Absent for a day that its month does not have, and a year that 64 bits have no nanoseconds for.
std::optional<std::int64_t> local_time(int year, int month, int day, const TimeOfDay& time) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < kFirstYear || year > kLastYear) return {};
  std::tm then = {};
  then.tm_year = year - kFirstTmYear;
  then.tm_mon = month - 1;
  then.tm_mday = day;
  return local_time(then, time);
}

// Of the local day of `now_ns`, or the one before.
std::optional<std::int64_t> parse_clock(std::string_view text, std::int64_t now_ns) {
  const auto time = parse_time_of_day(text);
  if (!time) return {};
  const auto today = local_now(now_ns);
  for (const int day : {today.tm_mday, today.tm_mday - 1}) {
    std::tm then = today;
    then.tm_mday = day;
    const auto unix_ns = local_time(then, *time);
    if (unix_ns <= now_ns) return unix_ns;
  }
  return {};
}

// "2026-11-28", which begins at midnight, and "2026-11-28 17:27:47.123".
std::optional<std::int64_t> parse_date(std::string_view text) {
  const auto century = take_two(text, 100);
  const auto year = take_two(text, 100);
  if (!century || !year || !text.starts_with('-')) return {};
  text.remove_prefix(1);
  const auto month = take_two(text, 13);
  if (!month || !text.starts_with('-')) return {};
  text.remove_prefix(1);
  const auto day = take_two(text, 32);
  if (!day) return {};
  std::optional<TimeOfDay> time = TimeOfDay{};
  if (!text.empty()) {
    if (text.front() != ' ') return {};
    time = parse_time_of_day(text.substr(1));
  }
  if (!time) return {};
  return local_time(*century * 100 + *year, *month, *day, *time);
}

// "Nov 28 17:27:47.123", its day in two columns: the last one that was, of this year or of one of
// those before, which of a 29 February may be some time ago.
std::optional<std::int64_t> parse_stamp(std::string_view text, std::int64_t now_ns) {
  constexpr std::size_t kTimeAt = sizeof("Nov 28 ") - 1;
  constexpr int kMostYears = 8;  // from one 29 February to the next
  const auto name = std::ranges::find(kMonths, text.substr(0, 3));
  if (name == kMonths.end() || text.size() < kTimeAt || text[3] != ' ' || text[6] != ' ') return {};
  std::string digits(text.substr(4, 2));
  if (digits.front() == ' ') digits.front() = '0';
  std::string_view left = digits;
  const auto day = take_two(left, 32);
  const auto time = parse_time_of_day(text.substr(kTimeAt));
  if (!day || !time) return {};
  const int month = static_cast<int>(name - kMonths.begin()) + 1;
  const int this_year = local_now(now_ns).tm_year + kFirstTmYear;
  for (int year = this_year; year >= this_year - kMostYears; --year) {
    const auto unix_ns = local_time(year, month, *day, *time);
    if (unix_ns && *unix_ns <= now_ns) return unix_ns;
  }
  return {};
}

}  // namespace

std::int64_t TimePoint::at(std::int64_t now_ns) const {
  if (ago.count() == 0) return unix_ns;
  return std::max<std::int64_t>(now_ns - ago.count() * kNsPerMs, 1);
}

std::optional<TimePoint> parse_time_point(std::string_view text, std::int64_t now_ns) {
  // A bare number is in seconds elsewhere; here it might as well be a year.
  const bool bare = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (bare) return {};
  if (const auto ago = parse_duration(text)) return TimePoint{.ago = *ago};
  if (const auto clock = parse_clock(text, now_ns)) return TimePoint{.unix_ns = *clock};
  auto time = parse_rfc3339(text);
  if (!time) time = parse_date(text);
  if (!time) time = parse_stamp(text, now_ns);
  if (!time || *time <= 0) return {};
  return TimePoint{.unix_ns = *time};
}

}  // namespace orb8
