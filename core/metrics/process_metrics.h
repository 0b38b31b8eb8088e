// What this process takes of the machine, under the names that every Prometheus client uses.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/metrics/metric.h"

namespace orb8 {

// Gives each of them to `take`, in the registry's order; none, where there is no
// /proc.
void collect_process_metrics(const TakeFamilyFn& take);

}  // namespace orb8
