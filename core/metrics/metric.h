// Metrics as values: what is measured and what came out, in no format yet. Prometheus' exposition
// and OTLP are both made of these.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace orb8 {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

std::string_view to_string(MetricType type);  // "counter", "gauge", "histogram"

// A row of the registry. All views are of texts that last as long as the process.
struct MetricInfo {
  std::string_view name;  // as Prometheus has it, suffixes and all: "orb8_network_bytes_total"
  std::string_view help;  // one sentence, with its full stop
  std::string_view unit;  // by UCUM, as OpenTelemetry writes it: "By", "s", "{packet}"
  std::vector<std::string_view> labels;  // that its samples have, beside a setting's choice
  MetricType type = MetricType::kGauge;
};

// An empty value is the same as no such label, but that no other is to be put in its place.
struct MetricLabel {
  std::string_view name;
  std::string value;  // UTF-8

  bool operator==(const MetricLabel&) const = default;
};

// Observations sorted into buckets: counts[i] of them were in (bounds[i-1], bounds[i]], and the
// last of counts, of which there is one more, beyond all bounds. Not cumulative.
struct HistogramValue {
  std::span<const double> bounds;  // ascending, in the metric's unit; lasts as long as the process
  std::vector<std::uint64_t> counts;
  double sum = 0;

  std::uint64_t count() const;
};

using MetricValue = std::variant<std::uint64_t, double, HistogramValue>;

struct MetricSample {
  std::vector<MetricLabel> labels;
  MetricValue value;
  std::int64_t start_ns = 0;  // of counters and histograms: since when they count; Unix epoch
};

// All samples of one metric at one moment; no two have the same labels.
struct MetricFamily {
  const MetricInfo& info;
  std::vector<MetricSample> samples;

  void add(std::vector<MetricLabel> labels, MetricValue value, std::int64_t start_ns);
};

// Who collects gets one family after the other, each metric once, in the registry's order; a family
// without samples is left out. Each is gone when `take` returns, so that no more than one is held.
using TakeFamilyFn = std::function<void(const MetricFamily& family)>;

// Any thread, any number at once. Counters are cumulative: never less than the time before in the
// same series, that is with the same labels and start_ns.
using CollectFn = std::function<void(const TakeFamilyFn& take)>;

}  // namespace orb8
