// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "core/k8s/parse_object.h"

namespace orb8::k8s {
namespace {

// What other nodes see of traffic from this one's own network into a tunnel. Of Calico
// (libcalico-go, lib/backend/k8s/resources/node.go) and Cilium (Documentation, annotations).
bool is_tunnel_address(std::string_view annotation) {
  constexpr std::array kAnnotations = {
      std::string_view("projectcalico.org/IPv4IPIPTunnelAddr"),
      std::string_view("projectcalico.org/IPv4VXLANTunnelAddr"),
      std::string_view("projectcalico.org/IPv6VXLANTunnelAddr"),
      std::string_view("projectcalico.org/IPv4WireguardInterfaceAddr"),
      std::string_view("projectcalico.org/IPv6WireguardInterfaceAddr"),
      std::string_view("network.cilium.io/ipv4-cilium-host"),
      std::string_view("network.cilium.io/ipv6-cilium-host")};
  return std::ranges::find(kAnnotations, annotation) != kAnnotations.end();
}

}  // namespace

Node parse_node(const JsonObject& object) {
  const auto metadata = object.object("metadata");
  Node node{.uid = std::string(metadata.text("uid")),
            .name = std::string(metadata.text("name")),
            .ips = {},
            .pod_cidrs = {},
            .zone = {}};
  object.object("status").each_object("addresses", [&](const JsonObject& address) {
    add_addr(node.ips, address.text("address"));  // names of hosts are no addresses
  });
  metadata.each_pair("annotations", [&](std::string_view key, std::string_view value) {
    if (is_tunnel_address(key)) add_addr(node.ips, value);
  });
  object.object("spec").each_text("podCIDRs", [&](std::string_view text) {
    if (const auto range = parse_prefix(text)) node.pod_cidrs.push_back(*range);
  });
  std::string old_zone;
  metadata.each_pair("labels", [&](std::string_view key, std::string_view value) {
    if (key == "topology.kubernetes.io/zone") node.zone = value;
    if (key == "failure-domain.beta.kubernetes.io/zone") old_zone = value;
  });
  if (node.zone.empty()) node.zone = old_zone;
  return node;
}

}  // namespace orb8::k8s
