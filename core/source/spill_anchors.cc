// SPDX-License-Identifier: Apache-2.0
#include "core/source/spill_anchors.h"

namespace orb8 {

bool SpillAnchors::counts_at(FlowKey key, std::uint32_t hook, std::int64_t now_ns) {
  key.direction = Direction::kIngress;  // a forwarded packet is ingress here and egress there
  auto found = anchors_.find(key);
  if (found == anchors_.end()) {
    if (anchors_.size() >= max_flows_) return true;
    anchors_.emplace(key, Anchor{hook, now_ns});
    return true;
  }
  auto& anchor = found->second;
  if (anchor.hook != hook && now_ns - anchor.last_ns < kTakeoverNs) return false;
  anchor = {hook, now_ns};
  return true;
}

void SpillAnchors::forget_silent(std::int64_t now_ns) {
  std::erase_if(anchors_, [now_ns](const auto& entry) {
    return now_ns - entry.second.last_ns >= kTakeoverNs;
  });
}

}  // namespace orb8
