// SPDX-License-Identifier: Apache-2.0
#include "core/identity/node_index.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "core/identity/newest.h"

namespace orb8 {
namespace {

// Ranges begin on a boundary of their length: the second address is one bit away.
std::array<Addr, 2> gateways(const Prefix& range) {
  auto second = range.addr;
  second.bytes.back() |= 1U;
  return {range.addr, second};
}

}  // namespace

NodeIndex::Change NodeIndex::set(k8s::Node node) {
  const auto found = nodes_.find(node.uid);
  Change change{.changed = true, .zones = true};
  if (found != nodes_.end()) {
    const auto& before = found->second.node;
    if (before == node) return {};
    change.zones = before.name != node.name || before.zone != node.zone;
    unlink(found->second);
  }
  auto& known = nodes_[node.uid];
  known.endpoint = std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kNode,
                                                             .name = node.name,
                                                             .uid = node.uid,
                                                             .node = node.name,
                                                             .zone = node.zone});
  known.node = std::move(node);
  known.order = ++order_;
  link(known);
  return change;
}

NodeIndex::Change NodeIndex::gone(std::string_view uid) {
  const auto found = nodes_.find(std::string(uid));
  if (found == nodes_.end()) return {};
  unlink(found->second);
  nodes_.erase(found);
  return {.changed = true, .zones = false};  // its pods were there, and stay where they were
}

NodeIndex::Change NodeIndex::keep(const std::unordered_set<std::string>& uids) {
  std::vector<std::string> vanished;
  for (const auto& [uid, known] : nodes_) {
    if (!uids.contains(uid)) vanished.push_back(uid);
  }
  for (const auto& uid : vanished) gone(uid);
  return {.changed = !vanished.empty(), .zones = false};
}

void NodeIndex::link(const Known& known) {
  by_name_.emplace(known.node.name, &known);
  for (const auto& ip : known.node.ips) by_ip_.emplace(ip, &known);
  for (const auto& range : known.node.pod_cidrs) {
    for (const auto& ip : gateways(range)) by_gateway_.emplace(ip, &known);
    ranges_[range.length].insert(range.addr);
  }
}

void NodeIndex::unlink(const Known& known) {
  erase_one(by_name_, known.node.name, &known);
  for (const auto& ip : known.node.ips) erase_one(by_ip_, ip, &known);
  for (const auto& range : known.node.pod_cidrs) {
    for (const auto& ip : gateways(range)) erase_one(by_gateway_, ip, &known);
    auto& starts = ranges_[range.length];
    starts.erase(starts.find(range.addr));
  }
}

EndpointRef NodeIndex::by_ip(const Addr& addr) const {
  const auto* known = newest(by_ip_, addr);
  return known == nullptr ? nullptr : known->endpoint;
}

EndpointRef NodeIndex::by_gateway(const Addr& addr) const {
  const auto* known = newest(by_gateway_, addr);
  return known == nullptr ? nullptr : known->endpoint;
}

bool NodeIndex::has_for_pods(const Addr& addr) const {
  return std::ranges::any_of(ranges_, [&](const auto& of_length) {
    return of_length.second.contains(masked(addr, of_length.first));
  });
}

EndpointRef NodeIndex::by_name(const std::string& name) const {
  const auto* known = newest(by_name_, std::string_view(name));
  return known == nullptr ? nullptr : known->endpoint;
}

const std::string& NodeIndex::zone_of(const std::string& name) const {
  static const std::string none;
  const auto* known = newest(by_name_, std::string_view(name));
  return known == nullptr ? none : known->node.zone;
}

}  // namespace orb8
