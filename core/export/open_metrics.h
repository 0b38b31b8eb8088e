// Metrics as the text of OpenMetrics 1.0, without exemplars and without times of creation, each of
// which would be a series more.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/metrics/metric.h"

namespace orb8 {

constexpr auto kOpenMetricsContentType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

// Everything that is collected. Whole numbers are whole here, however large.
std::string open_metrics_text(const CollectFn& collect);

}  // namespace orb8
