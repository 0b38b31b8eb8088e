// The one table of metrics: names, units, labels and meaning. The exposition, OTLP and
// docs/METRICS.md all come from it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/metrics/metric.h"

namespace orb8 {

// In the table's order, in which they are also collected.
enum class MetricId : std::uint8_t {
  kNetworkBytes,
  kNetworkPackets,
  kNetworkConnections,
  kTcpRetransmits,
  kTcpRtt,
  kActiveFlows,

  kMetricsSeries,
  kMetricsMaxSeries,
  kMetricsSeriesFolded,
  kMetricsSeriesExpired,

  kBuildInfo,
  kFlowSourceInfo,
  kUptime,
  kComponentHealthy,
  kPipelineStandstill,
  kEventsProcessed,
  kEventsDropped,
  kProbePackets,
  kProbeBytes,
  kPacketEvents,
  kFlowTableFlows,
  kFlowTableMaxFlows,
  kFlowsEvicted,
  kFlowsExpired,
  kFlowsEndedUnseen,
  kSocketEndsMissed,
  kSocketsUntracked,
  kSubscribers,
  kPodsTracked,
  kPodsEvicted,
  kWatchRestarts,
  kRelists,
  kFailedRequests,
  kSkippedObjects,
  kMapEntries,
  kMapMaxEntries,
  kRingUsedBytes,
  kRingSizeBytes,
  kProgramRunSeconds,
  kProgramRuns,
  kExporterRecords,
  kHistoryFlows,
  kHistoryOverwritten,

  kProcessCpu,
  kProcessResident,
  kProcessVirtual,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessThreads,
  kProcessStart,
};

std::span<const MetricInfo> registry();
const MetricInfo& metric(MetricId id);

// The table of docs/METRICS.md.
std::string registry_markdown();

}  // namespace orb8
