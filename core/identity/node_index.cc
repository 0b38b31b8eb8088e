// SPDX-License-Identifier: Apache-2.0
#include "core/identity/node_index.h"

#include <memory>
#include <utility>
#include <vector>

#include "core/identity/newest.h"

namespace orb8 {

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
}

void NodeIndex::unlink(const Known& known) {
  erase_one(by_name_, known.node.name, &known);
  for (const auto& ip : known.node.ips) erase_one(by_ip_, ip, &known);
}

EndpointRef NodeIndex::by_ip(const Addr& addr) const {
  const auto* known = newest(by_ip_, addr);
  return known == nullptr ? nullptr : known->endpoint;
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
