// Metrics as the text that Prometheus scrapes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/metrics/metric.h"

namespace orb8 {

constexpr auto kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

// Whether a label is shown: an empty one is the same as none, unless another would take its place.
bool is_scraped(const MetricLabel& label);

// Everything that is collected, in the text format 0.0.4. Numbers are doubles there: counters are
// exact up to 2^53, bytes of a petabyte eight times over.
std::string prometheus_text(const CollectFn& collect);

}  // namespace orb8
