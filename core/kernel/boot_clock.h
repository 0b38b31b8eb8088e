// The kernel's two clocks, as wall-clock time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/base/result.h"

namespace orb8 {

// Probes stamp with CLOCK_BOOTTIME, which goes on through suspend, and with jiffies64, which cost
// nothing to read. refresh() measures how both stand to the wall clock, so that a stepped or
// suspended clock does harm until the next refresh at most.
class BootClock {
 public:
  // `clock_program_fd`: the probe program orb8_clock, which reads both at one instant.
  static Result<BootClock> open(int clock_program_fd);

  Result<void> refresh();

  // Nanoseconds since the Unix epoch.
  std::int64_t wall_ns(std::uint64_t boot_ns) const noexcept;
  std::int64_t wall_of_jiffies(std::uint64_t jiffies) const noexcept;
  std::int64_t now_ns() const noexcept;

  std::uint64_t jiffies() const noexcept { return jiffies_; }  // at the last refresh
  std::uint64_t jiffies_per_second() const noexcept;

  // Length of a jiffy, 1/CONFIG_HZ, which is the resolution of the coarse clocks (clock_getres(2)).
  static std::int64_t tick_ns();

 private:
  explicit BootClock(int program_fd) : program_fd_(program_fd) {}

  int program_fd_;
  std::uint64_t jiffies_ = 0;
  std::int64_t jiffies_wall_ns_ = 0;
  std::int64_t boot_to_wall_ns_ = 0;
};

}  // namespace orb8
