// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_dimension.h"

#include <algorithm>

namespace orb8 {
namespace {

bool is_sent(const Flow& flow) {
  return flow.key.direction == Direction::kEgress;
}

const Endpoint& own_side(const Flow& flow) {
  static const Endpoint nobody{.name_space = {}, .name = {}};
  const auto& side = is_sent(flow) ? flow.owners->src : flow.owners->dst;
  return side ? *side : nobody;
}

const Endpoint& peer(const Flow& flow) {
  static const Endpoint nobody{.name_space = {}, .name = {}};
  const auto& side = is_sent(flow) ? flow.owners->dst : flow.owners->src;
  return side ? *side : nobody;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string pod_name(const Endpoint& side) {
  switch (side.kind) {
    case EndpointKind::kUnknown:
      return "";
    case EndpointKind::kPod:
      return side.name_space + "/" + side.name;
    case EndpointKind::kService:
      return "svc/" + side.name_space + "/" + side.name;
    default:
      return std::string(to_string(side.kind)) + (side.name.empty() ? "" : "/") + side.name;
  }
}

std::string workload_name(const Endpoint& side) {
  if (side.kind != EndpointKind::kPod || side.workload.empty()) return pod_name(side);
  return side.name_space + "/" + lower(side.workload_kind) + "/" + side.workload;
}

std::string namespace_name(const Endpoint& side) {
  if (side.kind == EndpointKind::kUnknown || !side.name_space.empty()) return side.name_space;
  return std::string(to_string(side.kind));
}

std::string node_name(const Endpoint& side) {
  if (side.kind == EndpointKind::kNode) return side.name;
  if (side.kind == EndpointKind::kExternal) return std::string(to_string(side.kind));
  return side.node;
}

std::string service_name(const FlowOwners& owners) {
  const auto& service = owners.dst_service ? owners.dst_service : owners.src_service;
  return service ? service->name_space + "/" + service->name : "";
}

}  // namespace

std::string name_in(const Flow& flow, GroupBy by) {
  switch (by) {
    case GroupBy::kPod:
      return pod_name(own_side(flow));
    case GroupBy::kWorkload:
      return workload_name(own_side(flow));
    case GroupBy::kNamespace:
      return namespace_name(own_side(flow));
    case GroupBy::kNode:
      return node_name(own_side(flow));
    case GroupBy::kProcess:
      return flow.owners->local ? flow.owners->local->comm : "";
    case GroupBy::kService:
      return service_name(*flow.owners);
    case GroupBy::kPort:
      break;  // is a number
    case GroupBy::kPeerPod:
      return pod_name(peer(flow));
    case GroupBy::kPeerWorkload:
      return workload_name(peer(flow));
    case GroupBy::kPeerNamespace:
      return namespace_name(peer(flow));
    case GroupBy::kPeerNode:
      return node_name(peer(flow));
    case GroupBy::kPeerIp:
      return to_string(is_sent(flow) ? flow.key.dst : flow.key.src);
  }
  return "";
}

std::optional<std::uint16_t> server_port(const Flow& flow) {
  const auto& key = flow.key;
  if (is_icmp(key.protocol) || (key.src_port == 0 && key.dst_port == 0)) return std::nullopt;
  if (flow.socket.role != Role::kUnknown) {
    const bool calls = flow.socket.role == Role::kClient;
    return calls == is_sent(flow) ? key.dst_port : key.src_port;
  }
  if (flow.owners->dst_service) return key.dst_port;
  if (flow.owners->src_service) return key.src_port;
  return std::min(key.src_port, key.dst_port);
}

}  // namespace orb8
