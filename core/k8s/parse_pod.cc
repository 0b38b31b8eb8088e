// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/rfc3339.h"
#include "core/k8s/parse_object.h"

namespace orb8::k8s {
namespace {

// "containerd://<id>"
std::string_view without_scheme(std::string_view id) {
  const auto colon = id.find("://");
  return colon == std::string_view::npos ? id : id.substr(colon + 3);
}

void add_containers(Pod& pod, const JsonObject& status, std::string_view key) {
  status.each_object(key, [&](const JsonObject& container) {
    pod.containers.push_back({.name = std::string(container.text("name")),
                              .id = std::string(without_scheme(container.text("containerID")))});
  });
}

Controller controller_of(const JsonObject& metadata) {
  Controller found;
  metadata.each_object("ownerReferences", [&](const JsonObject& owner) {
    if (!owner.flag("controller")) return;
    found = {.kind = std::string(owner.text("kind")), .name = std::string(owner.text("name"))};
  });
  return found;
}

Labels labels_of(const JsonObject& metadata) {
  Labels labels;
  metadata.each_pair("labels", [&](std::string_view key, std::string_view value) {
    labels.emplace_back(key, value);
  });
  std::ranges::sort(labels);
  return labels;
}

std::string static_uid_of(const JsonObject& metadata) {
  std::string uid;
  metadata.each_pair("annotations", [&](std::string_view key, std::string_view value) {
    if (key == "kubernetes.io/config.mirror") uid = value;
  });
  return uid;
}

std::vector<Addr> ips_of(const JsonObject& status) {
  std::vector<Addr> ips;
  add_addr(ips, status.text("podIP"));
  status.each_object("podIPs", [&](const JsonObject& ip) { add_addr(ips, ip.text("ip")); });
  return ips;
}

std::int64_t start_ns_of(const JsonObject& metadata, const JsonObject& status) {
  if (const auto started = parse_rfc3339(status.text("startTime"))) return *started;
  return parse_rfc3339(metadata.text("creationTimestamp")).value_or(0);
}

}  // namespace

Pod parse_pod(const JsonObject& object) {
  const auto metadata = object.object("metadata");
  const auto spec = object.object("spec");
  const auto status = object.object("status");
  const auto phase = status.text("phase");
  Pod pod{.uid = std::string(metadata.text("uid")),
          .name_space = std::string(metadata.text("namespace")),
          .name = std::string(metadata.text("name")),
          .node = std::string(spec.text("nodeName")),
          .ips = ips_of(status),
          .containers = {},
          .controller = controller_of(metadata),
          .labels = labels_of(metadata),
          .start_ns = start_ns_of(metadata, status),
          .host_network = spec.flag("hostNetwork"),
          .finished = phase == "Succeeded" || phase == "Failed",
          .static_uid = static_uid_of(metadata)};
  for (const auto* key :
       {"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"}) {
    add_containers(pod, status, key);
  }
  return pod;
}

}  // namespace orb8::k8s
