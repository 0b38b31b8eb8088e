// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_metric_exporter.h"

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/export/otlp_metrics.h"

namespace orb8 {

OtlpMetricExporter::OtlpMetricExporter(Parts parts, std::chrono::nanoseconds interval)
    : parts_(std::move(parts)),
      thread_([this, interval](const std::stop_token& asked, const std::stop_token& give_up) {
        auto next = Clock::now() + interval;
        while (wait_unless_stopped(next - Clock::now(), asked, give_up)) {
          report(give_up);
          next = std::max(next + interval, Clock::now());
        }
        if (!give_up.stop_requested()) report(give_up);
      }) {}

// All at once, before anything is sent: whoever counts is not held up by a receiver.
std::vector<OtlpMetricExporter::Part> OtlpMetricExporter::collect() const {
  const auto now_ns = wall_now_ns();
  std::vector<Part> parts;
  OtlpMetrics request;
  opentelemetry::proto::metrics::v1::ScopeMetrics* scope = nullptr;
  std::size_t points = 0;
  const auto finish = [&] {
    if (points > 0) parts.push_back({.request = request.SerializeAsString(), .points = points});
    request.Clear();
    auto& all = *request.add_resource_metrics();
    to_otlp(parts_.identity, *all.mutable_resource());
    scope = all.add_scope_metrics();
    to_otlp(parts_.identity, *scope->mutable_scope());
    points = 0;
  };
  finish();
  parts_.collect([&](const MetricFamily& family) {
    std::span<const MetricSample> samples = family.samples;
    while (!samples.empty()) {
      const auto some = samples.first(std::min(samples.size(), kMostInRequest - points));
      to_otlp(family.info, some, now_ns, *scope->add_metrics());
      points += some.size();
      samples = samples.subspan(some.size());
      if (points == kMostInRequest) finish();
    }
  });
  finish();
  return parts;
}

void OtlpMetricExporter::report(const std::stop_token& give_up) {
  OtlpMetrics request;
  bool taken = true;
  for (const auto& part : collect()) {
    // What follows one that failed would wait as long: the next report has it all.
    if (!taken || !request.ParseFromString(part.request)) {
      parts_.tally->add_dropped(part.points);
      continue;
    }
    taken = parts_.sender.send(request, part.points, give_up);
  }
}

}  // namespace orb8
