// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/metric.h"

#include <numeric>

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

}  // namespace orb8
