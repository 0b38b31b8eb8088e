// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_request.h"

#include <algorithm>
#include <string>

#include "core/export/wire_filter.h"

namespace orb8 {

Result<FlowQuery> from_wire(const v1::QueryFlowsRequest& request, const QueryRules& rules) {
  const auto selection = read_selection(request, rules.labels_kept);
  if (!selection) return std::unexpected(selection.error());
  FlowQuery query;
  query.matcher = FlowMatcher(*selection);
  query.collapse_client_ports = request.collapse_client_ports();
  query.limit = request.limit() == 0 ? rules.max_limit : std::min(request.limit(), rules.max_limit);
  switch (request.sort()) {
    case v1::SORT_ORDER_BYTES:
      query.sort = FlowSort::kBytes;
      return query;
    case v1::SORT_ORDER_PACKETS:
      query.sort = FlowSort::kPackets;
      return query;
    case v1::SORT_ORDER_LAST_SEEN:
      query.sort = FlowSort::kLastSeen;
      return query;
    case v1::SORT_ORDER_RTT:
      query.sort = FlowSort::kRtt;
      return query;
    case v1::SORT_ORDER_RETRANSMITS:
      query.sort = FlowSort::kRetransmits;
      return query;
    default:
      return fail(Errc::kInvalid, "sort: '" + std::to_string(request.sort()) +
                                      "' is not allowed; it must be SORT_ORDER_BYTES, "
                                      "SORT_ORDER_PACKETS, SORT_ORDER_LAST_SEEN, SORT_ORDER_RTT or "
                                      "SORT_ORDER_RETRANSMITS");
  }
}

FlowPick pick_flows(const FlowSet& flows, const FlowQuery& query) {
  if (query.collapse_client_ports) {
    return pick_collapsed(flows, query.matcher, query.sort, query.limit);
  }
  return pick_flows(flows, query.matcher, query.sort, query.limit);
}

Result<FlowSelection> from_wire(const v1::StreamEventsRequest& request, const QueryRules& rules) {
  return read_selection(request, rules.labels_kept);
}

}  // namespace orb8
