// Groups of flows, and what they are grouped by, on the wire.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/repeated_field.h>

#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/flow/flow_dimension.h"
#include "core/flow/flow_groups.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// kInvalid: one that does not exist, or is there twice.
Result<std::vector<GroupBy>> read_group_by(const google::protobuf::RepeatedField<int>& group_by);

// `dimensions`: what they were grouped by. Those beyond the limit are the last one, if there are
// any.
void to_wire(const FlowGroups& groups, std::span<const GroupBy> dimensions,
             v1::QueryFlowsResponse& out);

}  // namespace orb8
