// SPDX-License-Identifier: Apache-2.0
#include "cli/time_format.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace orb8 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// A moment's parts in local time.
struct Local {
  std::tm tm = {};
  std::int64_t ns = 0;  // of the second
};

Local local_of(std::int64_t unix_ns) {
  Local local;
  local.ns = unix_ns % kNsPerSecond;
  if (local.ns < 0) local.ns += kNsPerSecond;  // before 1970
  const std::time_t seconds = (unix_ns - local.ns) / kNsPerSecond;
  ::localtime_r(&seconds, &local.tm);
  return local;
}

std::string clock(const std::tm& tm) {
  return fmt::format("{:02}:{:02}:{:02}", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

std::string date(const std::tm& tm) {
  return fmt::format("{:04}-{:02}-{:02}", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

// "+01:00", or without the colon.
std::string offset(const std::tm& tm, std::string_view colon) {
  const auto minutes = std::labs(tm.tm_gmtoff) / 60;
  return fmt::format("{}{:02}{}{:02}", tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60, colon,
                     minutes % 60);
}

std::string rfc3339(const Local& local, const std::string& fraction) {
  return date(local.tm) + "T" + clock(local.tm) + fraction +
         (local.tm.tm_gmtoff == 0 ? "Z" : offset(local.tm, ":"));
}

}  // namespace

std::string time_text(std::int64_t unix_ns, TimeFormat format) {
  const auto local = local_of(unix_ns);
  const auto& tm = local.tm;
  const auto month = kMonths.at(static_cast<std::size_t>(tm.tm_mon));
  switch (format) {
    case TimeFormat::kDateTime:
      return date(tm) + " " + clock(tm);
    case TimeFormat::kStampMilli:
      return fmt::format("{} {:2} {}.{:03}", month, tm.tm_mday, clock(tm), local.ns / 1'000'000);
    case TimeFormat::kRfc3339:
      return rfc3339(local, "");
    case TimeFormat::kRfc3339Milli:
      return rfc3339(local, fmt::format(".{:03}", local.ns / 1'000'000));
    case TimeFormat::kRfc3339Micro:
      return rfc3339(local, fmt::format(".{:06}", local.ns / 1'000));
    case TimeFormat::kRfc3339Nano:
      return rfc3339(local, fmt::format(".{:09}", local.ns));
    case TimeFormat::kRfc1123Z:
      return fmt::format("{}, {:02} {} {:04} {} {}", kDays.at(static_cast<std::size_t>(tm.tm_wday)),
                         tm.tm_mday, month, tm.tm_year + 1900, clock(tm), offset(tm, ""));
    case TimeFormat::kClock:
      break;
  }
  return fmt::format("{:02}:{:02}:{:02}.{:03}", tm.tm_hour, tm.tm_min, tm.tm_sec,
                     local.ns / 1'000'000);
}

std::size_t time_width(TimeFormat format) {
  return time_text(0, format).size();
}

}  // namespace orb8
