// The answer to a query: flows, or groups of them, of one moment.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/export/interface_names.h"
#include "core/export/wire_request.h"
#include "core/flow/flow_pick.h"
#include "core/flow/flow_view.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// Of a query that asks for flows.
FlowPick pick_flows(const FlowSet& flows, const FlowQuery& query);

// `view` has a history where the query's period asks for one. All but the accounting is put in.
void answer_flows(const FlowQuery& query, const FlowView& view, InterfaceNames& names,
                  v1::QueryFlowsResponse& out);

}  // namespace orb8
