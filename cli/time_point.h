// Moments as they are named on a command line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace orb8 {

// A moment, or how long ago: then it moves with the present one.
struct TimePoint {
  std::int64_t unix_ns = 0;
  std::chrono::milliseconds ago{0};  // 0: it does not move

  std::int64_t at(std::int64_t now_ns) const;
  bool operator==(const TimePoint&) const = default;
};

// "5m" ago, "2026-11-28T17:27:47Z" (RFC 3339), or in local time "2026-11-28", "2026-11-28 17:27",
// "2026-11-28 17:27:47", "2026-11-28 17:27:47.123"; and the last time that it was "17:27",
// "17:27:47", "17:27:47.123" or "Nov 28 17:27:47.123". Nothing for anything else.
std::optional<TimePoint> parse_time_point(std::string_view text, std::int64_t now_ns);

}  // namespace orb8
