// What wakes the pipeline's thread, and whether there is a batch to drain.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace orb8 {

// The pipeline's thread's, but for order().
class Wakeups {
 public:
  using Clock = std::chrono::steady_clock;

  // What a descriptor says by being readable.
  enum class By : std::uint32_t {
    kOrder,    // there is something to do, which the thread finds out by looking
    kUrgent,   // drain at once
    kMayWait,  // a ring has got its first record since it was drained, or fills
  };

  // Records gather in the rings for so long, until a batch of them is drained.
  static Result<Wakeups> open(std::chrono::milliseconds gather);

  // Edge-triggered: each time something comes.
  Result<void> watch(int fd, By by);

  // Any thread: there is something to do that no descriptor tells.
  void order() const;

  // Waits for an event, at most to `until`. True: drain the rings, and then say drained().
  bool wait(Clock::time_point until);

  // `again`: drain then in any case; none: nothing is there.
  void drained(std::optional<Clock::time_point> again);

 private:
  Wakeups(UniqueFd epoll, UniqueFd orders, std::chrono::milliseconds gather);
  void take_orders() const;

  UniqueFd epoll_;
  UniqueFd orders_;
  std::chrono::milliseconds gather_;
  std::optional<Clock::time_point> drain_at_;
  bool woken_ = false;  // by a ring's first record since it was drained
};

}  // namespace orb8
