// The present moment, in the two ways that it is asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace orb8 {

// Of the wall's clock, nanoseconds of the Unix epoch: may be stepped either way.
inline std::int64_t wall_now_ns() {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

// Of a clock that only goes on (CLOCK_MONOTONIC), nanoseconds.
inline std::int64_t steady_now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace orb8
