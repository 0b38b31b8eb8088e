// What it costs to count flows for Prometheus, and to tell it.
// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/export/scrape_format.h"
#include "core/metrics/flow_families.h"
#include "core/metrics/flow_meter.h"
#include "tests/bench/parts.h"

namespace orb8::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kFlows = 10'000;
constexpr std::uint32_t kManyFlows = 100'000;
constexpr std::size_t kSeries = 10'000;
constexpr int kTries = 10;
constexpr double kRecordBarNs = 60;
constexpr double kScrapeBarMs = 50;
constexpr double kMemoryBarMib = 8;

EndpointRef pod(std::uint32_t number) {
  return std::make_shared<const Endpoint>(
      Endpoint{.kind = EndpointKind::kPod,
               .name_space = "team-" + std::to_string(number % 10),
               .name = "recommendation-service-7d9f8b6c5d-" + std::to_string(number),
               .uid = "0c8b2f5e-9d0b-4a3e-8d0e-" + std::to_string(100'000'000'000 + number),
               .workload_kind = "Deployment",
               .workload = "recommendation-service-" + std::to_string(number)});
}

// Flows of `pairs` pairs of pods, TCP with a round-trip time, as a table has them: in no order of
// their owners.
std::vector<Flow> flows(std::uint32_t count, std::uint32_t pairs) {
  std::vector<FlowOwnersRef> owners;
  for (std::uint32_t i = 0; i < pairs; ++i) {
    owners.emplace_back(FlowOwners{.src = pod(i), .dst = pod(i + 1)});
  }
  std::vector<Flow> all(count);
  std::uint32_t random = 1;
  for (auto& flow : all) {
    random = random * 1664525 + 1013904223;
    flow.key.protocol = IPPROTO_TCP;
    flow.key.direction = (random >> 30U & 1U) == 0 ? Direction::kEgress : Direction::kIngress;
    flow.socket.rtt_us = random >> 16U;
    flow.owners = owners[(random >> 8U) % pairs];
  }
  return all;
}

// Nanoseconds for a record: the best of several tries, since what else runs only adds. Each try is
// a snapshot's.
double ns_per_record(FlowMeter& meter, const std::vector<Flow>& flows) {
  double best = 1e9;
  for (int i = 1; i <= kTries; ++i) {
    meter.set_time(i * std::int64_t{1'000'000'000}, 0);
    const auto begin = Clock::now();
    for (const auto& flow : flows) meter.add(flow, {.packets = 10, .bytes = 10'000});
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    best = std::min(best, took.count() / static_cast<double>(flows.size()));
  }
  return best;
}

struct Scrape {
  double ms = 1e9;
  double share_us = 1e9;  // of the pipeline's thread
  std::size_t lines = 0;
  std::size_t bytes = 0;
};

Scrape scrape(FlowMeter& meter, const std::vector<Flow>& flows, ScrapeFormat format) {
  Scrape best;
  for (int i = 0; i < kTries; ++i) {
    const auto begin = Clock::now();
    const auto rows = meter.share();
    const std::chrono::duration<double, std::micro> shared = Clock::now() - begin;
    const auto text = scrape_text(format, [&](const TakeFamilyFn& take) {
      ActiveFlows active(meter.own());
      for (const auto& flow : flows) active.add(flow);
      collect_flow_metrics(*rows, &active, meter.own(), kSeries, take);
    });
    const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
    best.ms = std::min(best.ms, took.count());
    best.share_us = std::min(best.share_us, shared.count());
    best.bytes = text.size();
    best.lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  return best;
}

double heap_mib() {
  return static_cast<double>(::mallinfo2().uordblks) / (1U << 20U);
}

}  // namespace

Result<void> measure_metrics(Report& report) {
  // A pair is at most 21 series for what is sent and 3 for what is received.
  constexpr std::uint32_t kPairs = kSeries / 24;
  const auto few = flows(kFlows, kPairs);
  const auto before_mib = heap_mib();
  FlowMeter meter({.max_series = kSeries});
  report.add({"metrics.ns_per_record.400_pairs", ns_per_record(meter, few), "ns", kRecordBarNs});
  const auto all = scrape(meter, few, ScrapeFormat::kOpenMetrics);  // what Prometheus asks for
  const auto plain = scrape(meter, few, ScrapeFormat::kText);
  if (meter.series() < kSeries * 9 / 10 || all.lines < kSeries * 9 / 10) {
    return fail(Errc::kInvalid, "there are too few series for what is asked of a scrape");
  }
  report.add({"metrics.series", static_cast<double>(meter.series()), "series"});
  report.add({"metrics.scrape_10k_series_ms", all.ms, "ms", kScrapeBarMs});
  report.add({"metrics.scrape_10k_series_text_ms", plain.ms, "ms", kScrapeBarMs});
  report.add({"metrics.scrape_holds_pipeline_us", all.share_us, "us"});
  report.add({"metrics.scrape_bytes", static_cast<double>(all.bytes), "bytes"});
  report.add({"metrics.memory_10k_series", heap_mib() - before_mib, "MiB", kMemoryBarMib});

  // More than there is room for: what has none counts in `other`.
  FlowMeter full({.max_series = kSeries});
  const auto many = flows(kManyFlows, 20'000);
  report.add({"metrics.ns_per_record.20k_pairs_100k_flows", ns_per_record(full, many), "ns"});
  return {};
}

}  // namespace orb8::bench
