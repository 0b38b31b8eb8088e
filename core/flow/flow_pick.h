// The answer to a query: the largest flows of a snapshot that match.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/flow/flow_matcher.h"
#include "core/flow/flow_table.h"

namespace orb8 {

enum class FlowSort : std::uint8_t { kBytes, kPackets, kLastSeen, kRtt, kRetransmits };

struct FlowPick {
  std::vector<Flow> flows;  // largest, or latest, first; equal ones by key: the order is stable
  std::size_t matched = 0;  // also those beyond the limit
};

FlowPick pick_flows(const FlowSnapshot& snapshot, const FlowMatcher& matcher, FlowSort sort,
                    std::size_t limit);

// The same over flows of which one stands for all connections of a client to a server's port: see
// collapse_client_ports().
FlowPick pick_collapsed(const FlowSnapshot& snapshot, const FlowMatcher& matcher, FlowSort sort,
                        std::size_t limit);

}  // namespace orb8
