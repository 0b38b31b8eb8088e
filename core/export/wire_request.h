// Requests off the wire, checked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/flow/flow_filter.h"
#include "core/flow/flow_pick.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

struct FlowQuery {
  FlowFilter filter;
  FlowSort sort = FlowSort::kBytes;
  std::uint32_t limit = 0;
  bool collapse_client_ports = false;
};

// The answer to it.
FlowPick pick_flows(const FlowSnapshot& snapshot, const FlowQuery& query);

// kInvalid names the field, the value and what is allowed. `max_limit` stands for a limit of 0 and
// caps all others.
Result<FlowQuery> from_wire(const v1::QueryFlowsRequest& request, std::uint32_t max_limit);
Result<FlowFilter> from_wire(const v1::StreamEventsRequest& request);

}  // namespace orb8
