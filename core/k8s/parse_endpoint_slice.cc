// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/parse_object.h"

namespace orb8::k8s {

// What is read here is the same in v1 and v1beta1.
EndpointSlice parse_endpoint_slice(const JsonObject& object) {
  const auto metadata = object.object("metadata");
  EndpointSlice slice{.uid = std::string(metadata.text("uid")),
                      .name_space = std::string(metadata.text("namespace")),
                      .name = std::string(metadata.text("name")),
                      .service = {},
                      .ips = {},
                      .ports = {},
                      .targets = {}};
  metadata.each_pair("labels", [&](std::string_view key, std::string_view value) {
    if (key == "kubernetes.io/service-name") slice.service = value;
  });
  object.each_object("endpoints", [&](const JsonObject& endpoint) {
    const auto target = endpoint.object("targetRef");
    const auto pod = target.text("kind") == "Pod" ? target.text("uid") : std::string_view();
    endpoint.each_text("addresses", [&](std::string_view text) {
      add_addr(slice.ips, text);
      const auto ip = parse_addr(text);
      if (ip && !pod.empty()) slice.targets.push_back({.ip = *ip, .pod_uid = std::string(pod)});
    });
  });
  object.each_object("ports", [&](const JsonObject& port) {
    slice.ports.push_back({.name = std::string(port.text("name")),
                           .protocol = port_protocol(port.text("protocol")),
                           .port = port.number<std::uint16_t>("port")});
  });
  return slice;
}

}  // namespace orb8::k8s
