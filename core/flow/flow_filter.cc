// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_filter.h"

#include <algorithm>
#include <optional>

namespace orb8 {
namespace {

template <class List, class Test>
bool empty_or_any(const List& list, Test test) {
  return list.empty() || std::ranges::any_of(list, test);
}

bool names_match(const FlowFilter& filter, const PodName& pod) {
  return empty_or_any(filter.namespaces, [&](const auto& n) { return n == pod.name_space; }) &&
         empty_or_any(filter.pods, [&](const auto& n) { return n == pod.name; });
}

// A Service has a namespace too, but only a pod has a pod's name.
bool names_match(const FlowFilter& filter, const EndpointRef& owner) {
  if (!owner || owner->name_space.empty()) return false;
  const bool pod = owner->kind == EndpointKind::kPod;
  return names_match(filter, PodName{owner->name_space, pod ? owner->name : std::string_view()});
}

// A field's alternatives for a product: its values, or "anything" where there are none.
template <class T>
std::vector<std::optional<T>> alternatives(const std::vector<T>& values) {
  if (values.empty()) return {std::nullopt};
  return {values.begin(), values.end()};
}

}  // namespace

bool FlowFilter::matches(const Flow& flow) const {
  if (min_rtt_us > 0 && flow.socket.rtt_us < min_rtt_us) return false;
  if (failed && failure_of(flow.socket).empty()) return false;
  return matches(flow.key, *flow.owners);
}

bool FlowFilter::matches(const FlowKey& key, const FlowOwners& owners) const {
  if (!empty_or_any(directions, [&](Direction d) { return d == key.direction; })) return false;
  if (!empty_or_any(protocols, [&](std::uint8_t p) { return p == key.protocol; })) return false;
  if (!empty_or_any(ports, [&](std::uint16_t port) {
        return !is_icmp(key.protocol) && (port == key.src_port || port == key.dst_port);
      })) {
    return false;
  }
  if (!empty_or_any(prefixes, [&](const Prefix& prefix) {
        return prefix.contains(key.src) || prefix.contains(key.dst);
      })) {
    return false;
  }
  if (namespaces.empty() && pods.empty()) return true;
  return names_match(*this, shown_pod(key, owners)) || names_match(*this, owners.src) ||
         names_match(*this, owners.dst);
}

std::vector<PacketFilter> FlowFilter::packet_filters(std::size_t most) const {
  std::vector<PacketFilter> product;
  for (const auto& prefix : alternatives(prefixes)) {
    for (const auto& port : alternatives(ports)) {
      for (const auto& protocol : alternatives(protocols)) {
        for (const auto& direction : alternatives(directions)) {
          product.push_back(
              {.prefix = prefix, .port = port, .protocol = protocol, .direction = direction});
          if (product.size() > most) return {PacketFilter{}};
        }
      }
    }
  }
  return product;
}

}  // namespace orb8
