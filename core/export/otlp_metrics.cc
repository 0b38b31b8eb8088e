// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_metrics.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "core/export/otlp_attributes.h"

namespace orb8 {
namespace {

using namespace opentelemetry::proto::metrics::v1;

template <class Point>
void put_common(const MetricSample& sample, std::int64_t now_ns, Point& point) {
  point.set_time_unix_nano(static_cast<std::uint64_t>(now_ns));
  OtlpAttributes attributes(*point.mutable_attributes());
  for (const auto& label : sample.labels) attributes.add(label.name, label.value);
}

void put_number(const MetricValue& value, NumberDataPoint& point) {
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    point.set_as_int(static_cast<std::int64_t>(std::min(*whole, kMost)));
  } else if (const auto* real = std::get_if<double>(&value)) {
    point.set_as_double(*real);
  }
}

void put_histogram(const HistogramValue& value, HistogramDataPoint& point) {
  point.set_count(value.count());
  point.set_sum(value.sum);
  for (const auto count : value.counts) point.add_bucket_counts(count);
  for (const auto bound : value.bounds) point.add_explicit_bounds(bound);
}

}  // namespace

void to_otlp(const MetricInfo& info, std::span<const MetricSample> samples, std::int64_t now_ns,
             Metric& out) {
  out.set_name(std::string(info.name));
  out.set_description(std::string(info.help));
  out.set_unit(std::string(info.unit));
  for (const auto& sample : samples) {
    const auto start_ns = static_cast<std::uint64_t>(sample.start_ns);
    if (info.type == MetricType::kGauge) {
      auto& point = *out.mutable_gauge()->add_data_points();
      put_common(sample, now_ns, point);
      put_number(sample.value, point);
    } else if (info.type == MetricType::kCounter) {
      auto& sum = *out.mutable_sum();
      sum.set_aggregation_temporality(AGGREGATION_TEMPORALITY_CUMULATIVE);
      sum.set_is_monotonic(true);
      auto& point = *sum.add_data_points();
      put_common(sample, now_ns, point);
      point.set_start_time_unix_nano(start_ns);
      put_number(sample.value, point);
    } else if (const auto* value = std::get_if<HistogramValue>(&sample.value)) {
      auto& histogram = *out.mutable_histogram();
      histogram.set_aggregation_temporality(AGGREGATION_TEMPORALITY_CUMULATIVE);
      auto& point = *histogram.add_data_points();
      put_common(sample, now_ns, point);
      point.set_start_time_unix_nano(start_ns);
      put_histogram(*value, point);
    }
  }
}

}  // namespace orb8
