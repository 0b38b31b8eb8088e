// Metrics as OTLP's: counters as monotonic cumulative sums, gauges, histograms with their bounds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/metrics/metric.h"
#include "opentelemetry/proto/metrics/v1/metrics.pb.h"

namespace orb8 {

// Adds the metric with these of its samples, which were taken at `now_ns` (Unix epoch). Names and
// labels stay those of Prometheus, so that a metric is called the same wherever it is met.
void to_otlp(const MetricInfo& info, std::span<const MetricSample> samples, std::int64_t now_ns,
             opentelemetry::proto::metrics::v1::Metric& out);

}  // namespace orb8
