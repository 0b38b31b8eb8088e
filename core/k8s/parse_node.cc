// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/parse_object.h"

namespace orb8::k8s {

Node parse_node(const JsonObject& object) {
  const auto metadata = object.object("metadata");
  Node node{.uid = std::string(metadata.text("uid")),
            .name = std::string(metadata.text("name")),
            .ips = {},
            .zone = {}};
  object.object("status").each_object("addresses", [&](const JsonObject& address) {
    add_addr(node.ips, address.text("address"));  // names of hosts are no addresses
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
