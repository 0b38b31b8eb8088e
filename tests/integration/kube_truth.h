// Whether what is known of a cluster is what its API server has.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/identity/kube_store.h"
#include "core/k8s/objects.h"
#include "tests/integration/kube_api.h"

namespace orb8::integration {

// What the API server tells, asked now.
struct Truth {
  std::map<std::string, std::string> pods;  // what is known of each, one line by its UID
  std::vector<k8s::Service> services;
  std::vector<k8s::Node> nodes;
  std::vector<k8s::EndpointSlice> slices;
};
Truth truth(const KubeApi& api);

// Empty: the store says the same
// - of pods, by its own list and by each running one's address,
// - of Services, by their addresses, ports and node ports, and by how many there are,
// - of nodes, by their names, by all addresses that they have or may have had, and by how many,
// - of EndpointSlices, by all addresses and ports that a headless Service's has or may have had,
// and
//   by the pods behind those that it has.
// Else what differs first, and how much.
std::string difference(const Truth& truth, const KubeStore& store);

}  // namespace orb8::integration
