// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/resource.h"

namespace orb8::k8s {
namespace {

struct Resource {
  std::string_view name;
  std::string_view group;
  std::array<std::string_view, 2> paths;
  std::size_t versions;
};

// In the order of Kind.
constexpr std::array<Resource, kKinds.size()> kResources = {
    {{"pods", "", {"/api/v1/pods"}, 1},
     {"services", "", {"/api/v1/services"}, 1},
     {"nodes", "", {"/api/v1/nodes"}, 1},
     {"endpointslices",
      "discovery.k8s.io",
      // v1 came with Kubernetes 1.21.
      {"/apis/discovery.k8s.io/v1/endpointslices", "/apis/discovery.k8s.io/v1beta1/endpointslices"},
      2}}};

}  // namespace

std::string_view resource_of(Kind kind) {
  return kResources[index_of(kind)].name;
}

std::string_view api_group_of(Kind kind) {
  return kResources[index_of(kind)].group;
}

std::span<const std::string_view> paths_of(Kind kind) {
  const auto& resource = kResources[index_of(kind)];
  return std::span(resource.paths).first(resource.versions);
}

}  // namespace orb8::k8s
