// Many connections, one row: what a client talks with a server's port over ephemeral ports.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/flow/flow_matcher.h"
#include "core/flow/flow_view.h"

namespace orb8 {

// The flows that match, those alike but for the client's port as one, with that port 0: counters
// are sums, the round-trip time is the largest, the least one the smallest. Processes that are
// called the same in the same cgroup count as one, without a pid where they are several; others
// stay apart, and so do flows of which nobody knows which side is the client.
std::vector<Flow> collapse_client_ports(const FlowSet& flows, const FlowMatcher& matcher);

}  // namespace orb8
