// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_request.h"

#include <algorithm>
#include <string>

namespace orb8 {
namespace {

constexpr std::uint32_t kLastPort = 65535;
constexpr int kMostValues = 1000;  // of one field: each costs every flow a comparison

std::unexpected<Error> wrong(const std::string& field, const std::string& value,
                             const std::string& allowed) {
  return fail(Errc::kInvalid, field + ": '" + value + "' is not allowed; it must be " + allowed);
}

// Turns each text into a value by `parse`, or says which is wrong.
template <class Texts, class Value, class Parse>
Result<void> parse_each(const Texts& texts, const std::string& field, const std::string& allowed,
                        std::vector<Value>& out, Parse parse) {
  if (texts.size() > kMostValues) {
    return wrong(field, std::to_string(texts.size()) + " values",
                 "at most " + std::to_string(kMostValues));
  }
  for (const auto& text : texts) {
    const auto value = parse(text);
    if (!value) return wrong(field, text, allowed);
    out.push_back(*value);
  }
  return {};
}

Result<void> read_filter(const v1::FlowFilter& wire, FlowFilter& filter) {
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
  for (const auto port : wire.ports()) {
    if (port > kLastPort) {
      return wrong("filter.ports", std::to_string(port), "a number from 0 to 65535");
    }
    filter.ports.push_back(static_cast<std::uint16_t>(port));
  }
  return {};
}

}  // namespace

Result<FlowQuery> from_wire(const v1::QueryFlowsRequest& request, std::uint32_t max_limit) {
  FlowQuery query;
  query.filter.namespaces = {request.namespaces().begin(), request.namespaces().end()};
  query.filter.pods = {request.pod_names().begin(), request.pod_names().end()};
  if (auto ok = read_filter(request.filter(), query.filter); !ok) {
    return std::unexpected(ok.error());
  }
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
    default:
      return wrong("sort", std::to_string(request.sort()),
                   "SORT_ORDER_BYTES, SORT_ORDER_PACKETS or SORT_ORDER_LAST_SEEN");
  }
}

Result<FlowFilter> from_wire(const v1::StreamEventsRequest& request) {
  FlowFilter filter;
  filter.namespaces = {request.namespaces().begin(), request.namespaces().end()};
  filter.pods = {request.pod_names().begin(), request.pod_names().end()};
  if (auto ok = read_filter(request.filter(), filter); !ok) return std::unexpected(ok.error());
  return filter;
}

}  // namespace orb8
