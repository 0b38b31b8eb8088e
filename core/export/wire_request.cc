// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_request.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/export/utf8.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kLastPort = 65535;
constexpr int kMostValues = 1000;  // of one field: each costs every flow a comparison

std::unexpected<Error> wrong(const std::string& field, const std::string& value,
                             const std::string& allowed) {
  return fail(Errc::kInvalid,
              field + ": '" + quotable(value) + "' is not allowed; it must be " + allowed);
}

template <class Values>
Result<void> check_size(const Values& values, const std::string& field) {
  if (values.size() <= kMostValues) return {};
  return wrong(field, std::to_string(values.size()) + " values",
               "at most " + std::to_string(kMostValues));
}

// Turns each text into a value by `parse`, or says which is wrong.
template <class Texts, class Value, class Parse>
Result<void> parse_each(const Texts& texts, const std::string& field, const std::string& allowed,
                        std::vector<Value>& out, Parse parse) {
  if (auto ok = check_size(texts, field); !ok) return ok;
  for (const auto& text : texts) {
    const auto value = parse(text);
    if (!value) return wrong(field, text, allowed);
    out.push_back(*value);
  }
  return {};
}

std::optional<std::string> any_name(const std::string& text) {
  return text;
}

Result<void> read_ports(const v1::FlowFilter& wire, FlowFilter& filter) {
  if (auto ok = check_size(wire.ports(), "filter.ports"); !ok) return ok;
  for (const auto port : wire.ports()) {
    if (port > kLastPort) {
      return wrong("filter.ports", std::to_string(port), "a number from 0 to 65535");
    }
    filter.ports.push_back(static_cast<std::uint16_t>(port));
  }
  return {};
}

Result<void> read_flow_filter(const v1::FlowFilter& wire, FlowFilter& filter) {
  auto ok =
      parse_each(wire.ips(), "filter.ips", "an address or a prefix, as 10.0.0.0/8 or fd00::/8",
                 filter.prefixes, parse_prefix);
  if (!ok) return ok;
  ok = parse_each(wire.protocols(), "filter.protocols",
                  "a protocol's name, as TCP or ICMPv6, or a number from 0 to 255",
                  filter.protocols, parse_protocol);
  if (!ok) return ok;
  ok = parse_each(wire.directions(), "filter.directions", "ingress or egress", filter.directions,
                  parse_direction);
  if (!ok) return ok;
  filter.failed = wire.failed();
  filter.min_rtt_us = wire.min_rtt_us();
  return read_ports(wire, filter);
}

// The fields that both requests have.
template <class Request>
Result<FlowFilter> read_filter(const Request& request) {
  FlowFilter filter;
  auto ok = parse_each(request.namespaces(), "namespaces", "a name", filter.namespaces, any_name);
  if (ok) ok = parse_each(request.pod_names(), "pod_names", "a name", filter.pods, any_name);
  if (ok) ok = read_flow_filter(request.filter(), filter);
  if (!ok) return std::unexpected(ok.error());
  return filter;
}

}  // namespace

Result<FlowQuery> from_wire(const v1::QueryFlowsRequest& request, std::uint32_t max_limit) {
  auto filter = read_filter(request);
  if (!filter) return std::unexpected(filter.error());
  FlowQuery query;
  query.filter = std::move(*filter);
  query.collapse_client_ports = request.collapse_client_ports();
  query.limit = request.limit() == 0 ? max_limit : std::min(request.limit(), max_limit);
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
      return wrong("sort", std::to_string(request.sort()),
                   "SORT_ORDER_BYTES, SORT_ORDER_PACKETS, SORT_ORDER_LAST_SEEN, SORT_ORDER_RTT or "
                   "SORT_ORDER_RETRANSMITS");
  }
}

FlowPick pick_flows(const FlowSnapshot& snapshot, const FlowQuery& query) {
  if (query.collapse_client_ports) {
    return pick_collapsed(snapshot, query.filter, query.sort, query.limit);
  }
  return pick_flows(snapshot, query.filter, query.sort, query.limit);
}

Result<FlowFilter> from_wire(const v1::StreamEventsRequest& request) {
  return read_filter(request);
}

}  // namespace orb8
