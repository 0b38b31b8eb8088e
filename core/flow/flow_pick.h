// The answer to a query: the largest flows of a snapshot that match.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/flow/flow_matcher.h"
#include "core/flow/flow_view.h"

namespace orb8 {

enum class FlowSort : std::uint8_t { kBytes, kPackets, kLastSeen, kRtt, kRetransmits };

struct FlowPick {
  std::vector<Flow> flows;  // largest, or latest, first; equal ones by key: the order is stable
  std::size_t matched = 0;  // also those beyond the limit
};

// How flows are ordered, and so which of them are picked.
struct FlowOrder {
  FlowOrder(FlowSort by, bool smallest = false)  // NOLINT(google-explicit-constructor)
      : sort(by), smallest_first(smallest) {}

  FlowSort sort;
  bool smallest_first;  // or oldest
};

FlowPick pick_flows(const FlowSet& flows, const FlowMatcher& matcher, FlowOrder order,
                    std::size_t limit);

// The same over flows of which one stands for all connections of a client to a server's port: see
// collapse_client_ports().
FlowPick pick_collapsed(const FlowSet& flows, const FlowMatcher& matcher, FlowOrder order,
                        std::size_t limit);

}  // namespace orb8
