// When data suffers: losses and evictions that are still fresh.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/model/status.h"

namespace orb8 {

// Watches one counter that should stand still. Not healthy while its last increase is younger than
// a minute, so that a probe every few seconds sees it and a burst long gone does not count.
class LossWatch {
 public:
  static constexpr std::int64_t kFreshNs = 60'000'000'000;

  // `component` and `what` make the line: "flow-accounting: 12 packets lost, ... ".
  LossWatch(std::string component, std::string what)
      : component_(std::move(component)), what_(std::move(what)) {}

  void observe(std::uint64_t count, std::int64_t now_ns);
  Component component(std::int64_t now_ns) const;

 private:
  std::string component_;
  std::string what_;
  std::uint64_t count_ = 0;
  std::uint64_t recent_ = 0;  // lost since the last healthy moment
  std::int64_t last_increase_ns_ = 0;
};

}  // namespace orb8
