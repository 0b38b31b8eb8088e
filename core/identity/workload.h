// What a pod belongs to: the object that an operator made, found without asking for the ones
// between.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/k8s/objects.h"

namespace orb8 {

struct Workload {
  std::string kind;
  std::string name;
  bool operator==(const Workload&) const = default;
};

// A ReplicaSet's and a CronJob's Job's own owner is told by their names, which are made of it. A
// pod without a controller is its own workload.
Workload workload_of(const k8s::Pod& pod);

}  // namespace orb8
