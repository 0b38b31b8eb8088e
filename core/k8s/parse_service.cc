// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include <algorithm>

#include "core/k8s/parse_object.h"

namespace orb8::k8s {

void add_addr(std::vector<Addr>& to, std::string_view text) {
  const auto addr = parse_addr(text);
  if (addr && std::ranges::find(to, *addr) == to.end()) to.push_back(*addr);
}

std::uint8_t port_protocol(std::string_view name) {
  if (name.empty() || name == "TCP") return IPPROTO_TCP;
  if (name == "UDP") return IPPROTO_UDP;
  return name == "SCTP" ? IPPROTO_SCTP : 0;
}

Service parse_service(const JsonObject& object) {
  const auto metadata = object.object("metadata");
  const auto spec = object.object("spec");
  Service service{.uid = std::string(metadata.text("uid")),
                  .name_space = std::string(metadata.text("namespace")),
                  .name = std::string(metadata.text("name")),
                  .cluster_ips = {},
                  .external_ips = {},
                  .ports = {}};
  // A headless service has "None" here, which is no address.
  add_addr(service.cluster_ips, spec.text("clusterIP"));
  spec.each_text("clusterIPs", [&](std::string_view ip) { add_addr(service.cluster_ips, ip); });
  spec.each_text("externalIPs", [&](std::string_view ip) { add_addr(service.external_ips, ip); });
  object.object("status").object("loadBalancer").each_object("ingress", [&](const JsonObject& in) {
    add_addr(service.external_ips, in.text("ip"));
  });
  spec.each_object("ports", [&](const JsonObject& port) {
    service.ports.push_back({.name = std::string(port.text("name")),
                             .protocol = port_protocol(port.text("protocol")),
                             .port = port.number<std::uint16_t>("port"),
                             .node_port = port.number<std::uint16_t>("nodePort")});
  });
  return service;
}

}  // namespace orb8::k8s
