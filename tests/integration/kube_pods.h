// Pods in a real API server, many of them, which say themselves what is to be known of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "core/model/addr.h"
#include "tests/integration/kube_api.h"

namespace orb8::integration {

// What is POSTed there for a pod. Its label "is-of" says what it is to be taken for.
constexpr auto* kPods = "/api/v1/namespaces/default/pods";
// `ballast`: so many bytes of it nobody needs, as in the specs, statuses and managedFields of
// others.
std::string numbered_pod(int number, std::size_t ballast = 0);
// Where that pod is then; "/status" behind it is its status.
std::string pod_path(int number);
Addr pod_ip(int number);

// To be sent to the status: it runs, and has this address.
std::string running_at(const Addr& ip);

// Pods `first` up to `end`, over a few connections. They are of Deployments, StatefulSets, Jobs or
// nobody's, on one of ten nodes, with one address each where `running`. Throws where one fails.
void make_pods(const KubeApi& api, int first, int end, bool running, std::size_t ballast = 0);

}  // namespace orb8::integration
