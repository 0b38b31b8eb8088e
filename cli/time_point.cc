// SPDX-License-Identifier: Apache-2.0
#include "cli/time_point.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string>

#include "cli/format.h"
#include "core/base/clock.h"
#include "core/base/rfc3339.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

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

// Of the local day of `now_ns`, or the one before.
std::optional<std::int64_t> parse_clock(std::string_view text, std::int64_t now_ns) {
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
  const std::time_t now = now_ns / kNsPerSecond;
  std::tm local = {};
  ::localtime_r(&now, &local);
  for (const int day : {local.tm_mday, local.tm_mday - 1}) {
    std::tm then = local;
    then.tm_mday = day;
    then.tm_hour = *hour;
    then.tm_min = *minute;
    then.tm_sec = *second;
    then.tm_isdst = -1;  // as it was that day
    const auto unix_ns = std::int64_t{::mktime(&then)} * kNsPerSecond + *fraction;
    if (unix_ns <= now_ns) return unix_ns;
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
  if (const auto time = parse_rfc3339(text); time && *time > 0) {
    return TimePoint{.unix_ns = *time};
  }
  return {};
}

}  // namespace orb8
