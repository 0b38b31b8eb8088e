// What is known of pods, as the wire has it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/export/wire.h"
#include "core/identity/kube_store.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// The answer to a question for pods, by namespace and name. `kube` null: there is no cluster.
v1::QueryPodsResponse answer_pods(const v1::QueryPodsRequest& request, const KubeStore* kube,
                                  const NodeInfo& node);

}  // namespace orb8
