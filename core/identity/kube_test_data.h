// For tests: objects of a cluster, as short as may be.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/k8s/objects.h"

namespace orb8 {

inline Addr ip(const char* text) {
  return *parse_addr(text);
}

inline k8s::Pod pod(std::string uid, std::string name, std::vector<Addr> ips,
                    std::int64_t start_ns = 1) {
  k8s::Pod made;
  made.uid = std::move(uid);
  made.name_space = "shop";
  made.name = std::move(name);
  made.node = "node-1";
  made.ips = std::move(ips);
  made.start_ns = start_ns;
  return made;
}

inline k8s::Node node(std::string uid, std::string name, std::vector<Addr> ips,
                      std::string zone = "") {
  return {.uid = std::move(uid),
          .name = std::move(name),
          .ips = std::move(ips),
          .pod_cidrs = {},
          .zone = std::move(zone)};
}

// With port 80, "http".
inline k8s::Service service(std::string uid, std::string name, std::vector<Addr> cluster_ips) {
  return {.uid = std::move(uid),
          .name_space = "shop",
          .name = std::move(name),
          .cluster_ips = std::move(cluster_ips),
          .external_ips = {},
          .ports = {{.name = "http", .protocol = IPPROTO_TCP, .port = 80, .node_port = 0}}};
}

inline k8s::EndpointSlice slice(const std::string& uid, std::string service, std::vector<Addr> ips,
                                std::uint16_t port = 8080) {
  return {.uid = uid,
          .name_space = "shop",
          .name = uid,
          .service = std::move(service),
          .ips = std::move(ips),
          .ports = {{.name = "web", .protocol = IPPROTO_TCP, .port = port}},
          .targets = {}};
}

}  // namespace orb8
