// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/metric.h"

#include <numeric>
#include <utility>

namespace orb8 {

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kGauge:
      break;
  }
  return "gauge";
}

std::uint64_t HistogramValue::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void MetricFamily::add(std::vector<MetricLabel> labels, MetricValue value, std::int64_t start_ns) {
  auto& sample = samples.emplace_back();
  sample.labels = std::move(labels);
  sample.value = std::move(value);
  sample.start_ns = start_ns;
}

}  // namespace orb8
