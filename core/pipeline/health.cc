// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/health.h"

namespace orb8 {

void LossWatch::observe(std::uint64_t count, std::int64_t now_ns) {
  if (count <= count_) return;
  if (now_ns - last_increase_ns_ >= kFreshNs) recent_ = 0;
  recent_ += count - count_;
  count_ = count;
  last_increase_ns_ = now_ns;
}

Component LossWatch::component(std::int64_t now_ns) const {
  Component component{.name = component_, .reason = ""};
  if (last_increase_ns_ != 0 && now_ns - last_increase_ns_ < kFreshNs) {
    component.healthy = false;
    component.reason = std::to_string(recent_) + " " + what_;
  }
  return component;
}

}  // namespace orb8
