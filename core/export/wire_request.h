// Requests off the wire, checked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/flow/flow_dimension.h"
#include "core/flow/flow_filter.h"
#include "core/flow/flow_matcher.h"
#include "core/flow/flow_pick.h"
#include "core/flow/flow_replay.h"
#include "core/flow/flow_view.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// What the one who answers has to offer.
struct QueryRules {
  std::uint32_t max_limit = 0;  // of flows in an answer; stands for a limit of 0
  bool labels_kept = false;     // whether endpoints have their labels
};

struct FlowQuery {
  FlowMatcher matcher;
  FlowPeriod period;
  FlowOrder order = FlowSort::kBytes;
  std::uint32_t limit = 0;  // of flows, or of groups
  bool collapse_client_ports = false;
  std::vector<GroupBy> group_by;  // each once; none: flows
};

// kInvalid names the field, the value and what is allowed.
Result<FlowQuery> from_wire(const v1::QueryFlowsRequest& request, const QueryRules& rules);
Result<StreamQuery> from_wire(const v1::StreamEventsRequest& request, const QueryRules& rules);

}  // namespace orb8
