// How a moment is written for a person, in the names that Hubble's command line has for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orb8 {

enum class TimeFormat : unsigned char {
  kClock,         // 15:04:05.123
  kDateTime,      // 2006-01-02 15:04:05
  kStampMilli,    // Jan  2 15:04:05.123
  kRfc3339,       // 2006-01-02T15:04:05+01:00; Z for UTC
  kRfc3339Milli,  // 2006-01-02T15:04:05.123+01:00
  kRfc3339Micro,
  kRfc3339Nano,
  kRfc1123Z,  // Mon, 02 Jan 2006 15:04:05 +0100
};

// As StampMilli and RFC1123Z have them, whatever the locale.
inline constexpr std::array<std::string_view, 12> kMonths = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Nanoseconds since the Unix epoch, in the machine's own zone (TZ, else /etc/localtime), whatever
// the format. Names of days and months are English. Fractions are cut, not rounded.
std::string time_text(std::int64_t unix_ns, TimeFormat format);

// What it is wide, but for a zone that is written longer at another time of the year.
std::size_t time_width(TimeFormat format);

}  // namespace orb8
