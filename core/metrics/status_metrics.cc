// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/status_metrics.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/base/version.h"
#include "core/metrics/registry.h"

namespace orb8 {
namespace {

constexpr double kNsPerSecond = 1e9;

class Teller {
 public:
  Teller(const TakeFamilyFn& take, std::int64_t start_ns) : take_(take), start_ns_(start_ns) {}

  void one(MetricId id, MetricValue value) const {
    MetricFamily family{.info = metric(id), .samples = {}};
    family.add({}, std::move(value), start_ns_);
    take_(family);
  }

  // `values`: label and value, of anything that can be looked through.
  template <class Values>
  void many(MetricId id, const Values& values) const {
    MetricFamily family{.info = metric(id), .samples = {}};
    for (const auto& [label, value] : values) {
      family.add({{family.info.labels.front(), std::string(label)}}, value, start_ns_);
    }
    if (!family.samples.empty()) take_(family);
  }

 private:
  const TakeFamilyFn& take_;
  std::int64_t start_ns_;
};

using Count = std::pair<std::string_view, std::uint64_t>;

std::array<std::pair<std::string_view, Tally>, 8> tallies_of(const Accounting& seen) {
  return {{{"counted", seen.counted},
           {"spilled", seen.spilled},
           {"lost", seen.lost},
           {"duplicate", seen.duplicate},
           {"own", seen.own},
           {"not_ip", seen.not_ip},
           {"truncated", seen.truncated},
           {"unparsed", seen.unparsed}}};
}

void tell_meter(const Status& status, const Teller& tell) {
  tell.one(MetricId::kMetricsSeries, std::uint64_t{status.metric_series});
  tell.one(MetricId::kMetricsMaxSeries, std::uint64_t{status.metric_max_series});
  tell.one(MetricId::kMetricsSeriesFolded, status.metric_series_folded);
  tell.one(MetricId::kMetricsSeriesExpired, status.metric_series_expired);
}

void tell_components(const Status& status, const Teller& tell) {
  // Of several with one name (there are none by design) one that is ill is told.
  std::vector<Count> healthy;
  for (const auto& component : status.components) {
    const std::uint64_t value = component.healthy ? 1 : 0;
    const auto known = std::ranges::find(healthy, component.name, &Count::first);
    if (known == healthy.end()) {
      healthy.emplace_back(component.name, value);
    } else {
      known->second = std::min(known->second, value);
    }
  }
  tell.many(MetricId::kComponentHealthy, healthy);
}

void tell_events(const Status& status, const Teller& tell) {
  const auto& seen = status.source.accounting;
  tell.one(MetricId::kEventsProcessed, status.events_processed);
  tell.many(MetricId::kEventsDropped,
            std::array{Count("ring_full", seen.packet_events_lost),
                       Count("slow_subscriber", status.subscriber_drops)});
  std::vector<Count> packets;
  std::vector<Count> bytes;
  for (const auto& [outcome, tally] : tallies_of(seen)) {
    packets.emplace_back(outcome, tally.packets);
    bytes.emplace_back(outcome, tally.bytes);
  }
  tell.many(MetricId::kProbePackets, packets);
  tell.many(MetricId::kProbeBytes, bytes);
  tell.one(MetricId::kPacketEvents, seen.packet_events);
}

void tell_flow_table(const Status& status, const Teller& tell) {
  tell.one(MetricId::kFlowTableFlows, std::uint64_t{status.active_flows});
  tell.one(MetricId::kFlowTableMaxFlows, std::uint64_t{status.max_flows});
  tell.one(MetricId::kFlowsEvicted, status.flows_evicted);
  tell.one(MetricId::kFlowsExpired, status.flows_expired);
  tell.one(MetricId::kFlowsEndedUnseen, status.flows_ended_unseen);
  tell.one(MetricId::kSocketEndsMissed, status.source.socket_ends_missed);
  tell.one(MetricId::kSocketsUntracked, status.source.sockets_untracked);
  tell.one(MetricId::kSubscribers, std::uint64_t{status.subscribers});
}

void tell_kubernetes(const Status& status, const Teller& tell) {
  tell.one(MetricId::kPodsTracked, std::uint64_t{status.pods_tracked});
  tell.one(MetricId::kPodsEvicted, status.pods_evicted);
  if (!status.kubernetes) return;
  tell.one(MetricId::kWatchRestarts, status.kubernetes->reconnects);
  tell.one(MetricId::kRelists, status.kubernetes->relists);
  tell.one(MetricId::kFailedRequests, status.kubernetes->failed_requests);
  tell.one(MetricId::kSkippedObjects, status.kubernetes->skipped_objects);
}

void tell_fill(const std::vector<Fill>& fills, MetricId used, MetricId size, const Teller& tell) {
  std::vector<Count> now;
  std::vector<Count> most;
  for (const auto& fill : fills) {
    now.emplace_back(fill.name, fill.used);
    most.emplace_back(fill.name, fill.size);
  }
  tell.many(used, now);
  tell.many(size, most);
}

void tell_programs(const std::vector<ProgramRuns>& programs, const Teller& tell) {
  std::vector<std::pair<std::string_view, double>> seconds;
  std::vector<Count> runs;
  for (const auto& program : programs) {
    seconds.emplace_back(program.program, static_cast<double>(program.run_time_ns) / kNsPerSecond);
    runs.emplace_back(program.program, program.runs);
  }
  tell.many(MetricId::kProgramRunSeconds, seconds);
  tell.many(MetricId::kProgramRuns, runs);
}

void tell_exporters(const Status& status, const TakeFamilyFn& take) {
  MetricFamily family{.info = metric(MetricId::kExporterRecords), .samples = {}};
  for (const auto& one : status.exporters) {
    for (const auto& [outcome, count] :
         {Count("exported", one.exported), Count("dropped", one.dropped),
          Count("failed", one.failed)}) {
      family.add({{"exporter", one.name}, {"outcome", std::string(outcome)}}, count,
                 status.started_ns);
    }
  }
  if (!family.samples.empty()) take(family);
}

}  // namespace

void collect_status_metrics(const Status& status, std::chrono::nanoseconds standstill,
                            std::int64_t now_ns, const TakeFamilyFn& take) {
  const Teller tell(take, status.started_ns);
  tell_meter(status, tell);
  tell.many(MetricId::kBuildInfo, std::array{Count(version(), 1)});
  tell.many(MetricId::kFlowSourceInfo, std::array{Count(status.source.name, 1)});
  // The clock may have been set back since.
  const auto up_ns = std::max<std::int64_t>(now_ns - status.started_ns, 0);
  tell.one(MetricId::kUptime, static_cast<double>(up_ns) / kNsPerSecond);
  tell_components(status, tell);
  tell.one(MetricId::kPipelineStandstill,
           static_cast<double>(std::max<std::int64_t>(standstill.count(), 0)) / kNsPerSecond);
  tell_events(status, tell);
  tell_flow_table(status, tell);
  tell_kubernetes(status, tell);
  tell_fill(status.source.maps, MetricId::kMapEntries, MetricId::kMapMaxEntries, tell);
  tell_fill(status.source.rings, MetricId::kRingUsedBytes, MetricId::kRingSizeBytes, tell);
  tell_programs(status.source.runs, tell);
  tell_exporters(status, take);
  tell.one(MetricId::kHistoryFlows, std::uint64_t{status.history_flows});
  tell.one(MetricId::kHistoryOverwritten, status.history_overwritten);
}

}  // namespace orb8
