// Filters off the wire, checked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/flow/flow_filter.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// kInvalid names the field, the value and what is allowed; `where` stands before the field's name.
Result<FlowFilter> from_wire(const v1::FlowFilter& wire, const std::string& where);

// What all fields of a request ask for together. `labels_kept`: whether endpoints have their labels
// here; where they have not, a filter by labels is an error, since it would find nothing.
template <class Request>
Result<FlowSelection> read_selection(const Request& request, bool labels_kept);

extern template Result<FlowSelection> read_selection(const v1::QueryFlowsRequest&, bool);
extern template Result<FlowSelection> read_selection(const v1::StreamEventsRequest&, bool);

}  // namespace orb8
