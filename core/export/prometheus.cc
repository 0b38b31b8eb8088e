// SPDX-License-Identifier: Apache-2.0
#include "core/export/prometheus.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <utility>
#include <variant>

namespace orb8 {
namespace {

double as_number(const MetricValue& value) {
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? 0 : *number;
}

prometheus::ClientMetric::Histogram to_prometheus(const HistogramValue& value) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_sum = value.sum;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    histogram.sample_count += value.counts[i];
    histogram.bucket.push_back({.cumulative_count = histogram.sample_count,
                                .upper_bound = i < value.bounds.size()
                                                   ? value.bounds[i]
                                                   : std::numeric_limits<double>::infinity()});
  }
  return histogram;
}

prometheus::ClientMetric to_prometheus(const MetricSample& sample, MetricType type) {
  prometheus::ClientMetric metric;
  metric.label.reserve(sample.labels.size());
  for (const auto& label : sample.labels) {
    if (!is_scraped(label)) continue;
    metric.label.push_back({.name = std::string(label.name), .value = label.value});
  }
  if (const auto* histogram = std::get_if<HistogramValue>(&sample.value)) {
    metric.histogram = to_prometheus(*histogram);
  } else if (type == MetricType::kCounter) {
    metric.counter.value = as_number(sample.value);
  } else {
    metric.gauge.value = as_number(sample.value);
  }
  return metric;
}

prometheus::MetricType to_prometheus(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
    case MetricType::kGauge:
      break;
  }
  return prometheus::MetricType::Gauge;
}

}  // namespace

// `namespace` and `pod` a target may have as well, of the agent's own pod: with honor_labels
// Prometheus fills them in where a series does not have them, and drops them where they are empty.
bool is_scraped(const MetricLabel& label) {
  return !label.value.empty() || label.name == "namespace" || label.name == "pod";
}

std::string prometheus_text(const CollectFn& collect) {
  const prometheus::TextSerializer serializer;
  std::ostringstream out;
  collect([&](const MetricFamily& family) {
    prometheus::MetricFamily one;
    one.name = std::string(family.info.name);
    one.help = std::string(family.info.help);
    one.type = to_prometheus(family.info.type);
    one.metric.reserve(family.samples.size());
    for (const auto& sample : family.samples) {
      one.metric.push_back(to_prometheus(sample, family.info.type));
    }
    serializer.Serialize(out, {std::move(one)});
  });
  return std::move(out).str();
}

}  // namespace orb8
