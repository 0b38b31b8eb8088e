// For flows that found the kernel's map full: what the map's anchor does for the others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "core/model/flow.h"

namespace orb8 {

// A packet that crosses several hooks spills at each; it counts at the first hook that spilled a
// packet of its flow, until that one has been silent for kTakeoverNs.
class SpillAnchors {
 public:
  static constexpr std::int64_t kTakeoverNs = 5'000'000'000;

  explicit SpillAnchors(std::size_t max_flows) : max_flows_(max_flows) {}

  // Whether the flow counts at this hook. A flow beyond max_flows has no anchor: it counts at any.
  bool counts_at(FlowKey key, std::uint32_t hook, std::int64_t now_ns);

  void forget_silent(std::int64_t now_ns);
  std::size_t size() const noexcept { return anchors_.size(); }

 private:
  struct Anchor {
    std::uint32_t hook = 0;
    std::int64_t last_ns = 0;
  };
  std::size_t max_flows_;
  std::unordered_map<FlowKey, Anchor, FlowKeyHash> anchors_;
};

}  // namespace orb8
