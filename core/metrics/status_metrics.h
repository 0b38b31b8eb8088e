// The agent's own metrics, from its status.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "core/metrics/metric.h"
#include "core/model/status.h"

namespace orb8 {

// Gives each of them to `take`, in the registry's order. `now_ns`: Unix epoch; `standstill` as
// Pipeline has it.
void collect_status_metrics(const Status& status, std::chrono::nanoseconds standstill,
                            std::int64_t now_ns, const TakeFamilyFn& take);

}  // namespace orb8
