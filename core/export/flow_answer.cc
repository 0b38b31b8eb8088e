// SPDX-License-Identifier: Apache-2.0
#include "core/export/flow_answer.h"

#include "core/export/groups_wire.h"
#include "core/export/wire.h"
#include "core/flow/flow_groups.h"
#include "core/flow/flow_pick.h"

namespace orb8 {

FlowPick pick_flows(const FlowSet& flows, const FlowQuery& query) {
  if (query.collapse_client_ports) {
    return pick_collapsed(flows, query.matcher, query.order, query.limit);
  }
  return pick_flows(flows, query.matcher, query.order, query.limit);
}

void answer_flows(const FlowQuery& query, const FlowView& view, InterfaceNames& names,
                  v1::QueryFlowsResponse& out) {
  const FlowSet flows(view, query.period);
  if (query.group_by.empty()) {
    const auto picked = pick_flows(flows, query);
    for (const auto& flow : picked.flows) to_wire(flow, names, *out.add_flows());
    out.set_matched(picked.matched);
  } else {
    const auto groups =
        group_flows(flows, query.matcher, query.group_by, query.order.sort, query.limit);
    to_wire(groups, query.group_by, out);
  }
  out.set_taken_ns(view.taken_ns);
  if (view.history) out.set_history_from_ns(view.history->complete_from_ns());
}

}  // namespace orb8
