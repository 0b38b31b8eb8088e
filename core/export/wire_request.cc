// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_request.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/export/groups_wire.h"
#include "core/export/wire_filter.h"

namespace orb8 {
namespace {

Result<FlowSort> read_sort(v1::SortOrder sort) {
  switch (sort) {
    case v1::SORT_ORDER_BYTES:
      return FlowSort::kBytes;
    case v1::SORT_ORDER_PACKETS:
      return FlowSort::kPackets;
    case v1::SORT_ORDER_LAST_SEEN:
      return FlowSort::kLastSeen;
    case v1::SORT_ORDER_RTT:
      return FlowSort::kRtt;
    case v1::SORT_ORDER_RETRANSMITS:
      return FlowSort::kRetransmits;
    default:
      return fail(Errc::kInvalid, "sort: '" + std::to_string(sort) +
                                      "' is not allowed; it must be SORT_ORDER_BYTES, "
                                      "SORT_ORDER_PACKETS, SORT_ORDER_LAST_SEEN, SORT_ORDER_RTT or "
                                      "SORT_ORDER_RETRANSMITS");
  }
}

Result<void> check_time(const char* field, std::int64_t time_ns) {
  if (time_ns >= 0) return {};
  return fail(Errc::kInvalid, std::string(field) + ": '" + std::to_string(time_ns) +
                                  "' is not allowed; it must be a time since 1970, in nanoseconds");
}

Result<void> check(const FlowPeriod& period) {
  auto ok = check_time("since_ns", period.since_ns);
  if (ok) ok = check_time("until_ns", period.until_ns);
  if (ok) ok = check_time("ended_since_ns", period.ended_since_ns);
  return ok;
}

Result<void> check_orders(const FlowQuery& query) {
  if (query.order.smallest_first && query.order.sort != FlowSort::kLastSeen) {
    return fail(Errc::kInvalid, "oldest_first: it goes with SORT_ORDER_LAST_SEEN alone");
  }
  if (query.order.smallest_first && !query.group_by.empty()) {
    return fail(Errc::kInvalid, "oldest_first and group_by exclude each other");
  }
  if (query.collapse_client_ports && !query.group_by.empty()) {
    return fail(Errc::kInvalid, "collapse_client_ports and group_by exclude each other");
  }
  return {};
}

Result<void> check(const StreamQuery& query) {
  if (!query.history) return {};
  if (query.packets) {
    return fail(Errc::kInvalid, "packets: they are not remembered, only flows are");
  }
  if (query.history->period.until_ns != 0 && query.follow) {
    return fail(Errc::kInvalid, "until_ns: it goes with end_after_history alone");
  }
  return check(query.history->period);
}

}  // namespace

Result<FlowQuery> from_wire(const v1::QueryFlowsRequest& request, const QueryRules& rules) {
  const auto selection = read_selection(request, rules.labels_kept);
  if (!selection) return std::unexpected(selection.error());
  const auto sort = read_sort(request.sort());
  if (!sort) return std::unexpected(sort.error());
  auto dimensions = read_group_by(request.group_by());
  if (!dimensions) return std::unexpected(dimensions.error());
  FlowQuery query;
  query.matcher = FlowMatcher(*selection);
  query.period = {.since_ns = request.since_ns(),
                  .until_ns = request.until_ns(),
                  .ended_since_ns = request.ended_since_ns()};
  query.order = {*sort, request.oldest_first()};
  query.limit = request.limit() == 0 ? rules.max_limit : std::min(request.limit(), rules.max_limit);
  query.collapse_client_ports = request.collapse_client_ports();
  query.group_by = std::move(*dimensions);
  if (auto ok = check(query.period); !ok) return std::unexpected(ok.error());
  if (auto ok = check_orders(query); !ok) return std::unexpected(ok.error());
  return query;
}

Result<StreamQuery> from_wire(const v1::StreamEventsRequest& request, const QueryRules& rules) {
  auto selection = read_selection(request, rules.labels_kept);
  if (!selection) return std::unexpected(selection.error());
  StreamQuery query{.selection = std::move(*selection),
                    .packets = request.packets(),
                    .history = {},
                    .follow = !request.end_after_history()};
  if (request.last() != 0 && request.first() != 0) {
    return fail(Errc::kInvalid, "last and first exclude each other");
  }
  const bool history = request.since_ns() != 0 || request.until_ns() != 0 || request.last() != 0 ||
                       request.first() != 0 || request.all() || request.end_after_history();
  if (history) {
    query.history = {.period = {.since_ns = request.since_ns(), .until_ns = request.until_ns()},
                     .last = request.last(),
                     .first = request.first()};
  }
  if (auto ok = check(query); !ok) return std::unexpected(ok.error());
  return query;
}

}  // namespace orb8
