// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/registry.h"

#include <utility>

namespace orb8 {
namespace {

using enum MetricType;
using Labels = std::vector<std::string_view>;

// Which of namespace, pod, workload and node come in front is a setting's choice.
Labels flow_labels(std::string_view more = {}) {
  Labels labels = {"direction", "protocol", "peer_kind", "peer_namespace", "peer_workload"};
  if (!more.empty()) labels.push_back(more);
  return labels;
}

class Table {
 public:
  void add(MetricId id, MetricInfo info) {
    if (std::to_underlying(id) != rows_.size())
      std::unreachable();  // a row is missing, or too many
    rows_.push_back(std::move(info));
  }
  std::vector<MetricInfo> take() { return std::move(rows_); }

 private:
  std::vector<MetricInfo> rows_;
};

void add_flows(Table& table) {
  table.add(MetricId::kNetworkBytes,
            {"orb8_network_bytes_total", "Wire bytes of flows, from the link layer's header on.",
             "By", flow_labels(), kCounter});
  table.add(MetricId::kNetworkPackets, {"orb8_network_packets_total", "Wire packets of flows.",
                                        "{packet}", flow_labels(), kCounter});
  table.add(MetricId::kNetworkConnections,
            {"orb8_network_connections_total",
             "TCP connections that are over, each once, by how they ended.", "{connection}",
             flow_labels("outcome"), kCounter});
  table.add(MetricId::kTcpRetransmits,
            {"orb8_tcp_retransmits_total", "TCP segments that were sent again.", "{segment}",
             flow_labels(), kCounter});
  table.add(MetricId::kTcpRtt,
            {"orb8_tcp_rtt_seconds",
             "Smoothed round-trip time, observed of each TCP connection in each snapshot in which "
             "it sent something.",
             "s", flow_labels(), kHistogram});
  table.add(MetricId::kActiveFlows,
            {"orb8_active_flows", "Flows in the table now; a connection is two.", "{flow}",
             flow_labels(), kGauge});
}

void add_meter(Table& table) {
  table.add(MetricId::kMetricsSeries, {"orb8_metrics_series",
                                       "Series that the flow metrics have now, without `other`.",
                                       "{series}",
                                       {},
                                       kGauge});
  table.add(MetricId::kMetricsMaxSeries, {"orb8_metrics_max_series",
                                          "Series that the flow metrics have at most.",
                                          "{series}",
                                          {},
                                          kGauge});
  table.add(MetricId::kMetricsSeriesFolded,
            {"orb8_metrics_series_folded_total",
             "Series that had no room and are counted in `other` from then on.",
             "{series}",
             {},
             kCounter});
  table.add(MetricId::kMetricsSeriesExpired, {"orb8_metrics_series_expired_total",
                                              "Series that ended with their pods.",
                                              "{series}",
                                              {},
                                              kCounter});
}

void add_agent(Table& table) {
  table.add(MetricId::kBuildInfo,
            {"orb8_build_info", "The agent's version; always 1.", "{info}", {"version"}, kGauge});
  table.add(
      MetricId::kFlowSourceInfo,
      {"orb8_flow_source_info", "Where flows come from; always 1.", "{info}", {"source"}, kGauge});
  table.add(MetricId::kUptime,
            {"orb8_uptime_seconds", "Since the agent began to watch.", "s", {}, kGauge});
  table.add(MetricId::kComponentHealthy, {"orb8_component_healthy",
                                          "1 while the component is healthy, else 0.",
                                          "{component}",
                                          {"component"},
                                          kGauge});
  table.add(MetricId::kPipelineStandstill, {"orb8_pipeline_standstill_seconds",
                                            "Since the thread that takes in flows last came round.",
                                            "s",
                                            {},
                                            kGauge});
  table.add(MetricId::kEventsProcessed, {"orb8_events_processed_total",
                                         "Flow records and packet events taken in.",
                                         "{event}",
                                         {},
                                         kCounter});
  table.add(MetricId::kEventsDropped,
            {"orb8_events_dropped_total",
             "Events that did not reach who asked for them: packet events (ring_full), events of "
             "streams (slow_subscriber).",
             "{event}",
             {"cause"},
             kCounter});
  table.add(MetricId::kProbePackets, {"orb8_probe_packets_total",
                                      "What became of packets that met a probe.",
                                      "{packet}",
                                      {"outcome"},
                                      kCounter});
  table.add(MetricId::kProbeBytes, {"orb8_probe_bytes_total",
                                    "What became of the wire bytes that met a probe.",
                                    "By",
                                    {"outcome"},
                                    kCounter});
  table.add(
      MetricId::kPacketEvents,
      {"orb8_packet_events_total", "Single packets told on demand.", "{packet}", {}, kCounter});
}

void add_flow_table(Table& table) {
  table.add(MetricId::kFlowTableFlows,
            {"orb8_flow_table_flows", "Flows in the table now.", "{flow}", {}, kGauge});
  table.add(
      MetricId::kFlowTableMaxFlows,
      {"orb8_flow_table_max_flows", "Flows that the table has room for.", "{flow}", {}, kGauge});
  table.add(
      MetricId::kFlowsEvicted,
      {"orb8_flows_evicted_total", "Flows pushed out of the full table.", "{flow}", {}, kCounter});
  table.add(MetricId::kFlowsExpired,
            {"orb8_flows_expired_total", "Flows that ended.", "{flow}", {}, kCounter});
  table.add(MetricId::kFlowsEndedUnseen,
            {"orb8_flows_ended_unseen_total",
             "Flows whose socket was found gone: what they moved last is lost.",
             "{flow}",
             {},
             kCounter});
  table.add(MetricId::kSocketEndsMissed,
            {"orb8_socket_ends_missed_total",
             "Sockets whose last record may have been missed, at most.",
             "{socket}",
             {},
             kCounter});
  table.add(MetricId::kSocketsUntracked,
            {"orb8_sockets_untracked_total",
             "Times that the kernel had no memory to remember a TCP socket.",
             "{socket}",
             {},
             kCounter});
  table.add(MetricId::kSubscribers,
            {"orb8_subscribers", "Streams that are open.", "{stream}", {}, kGauge});
}

void add_kubernetes(Table& table) {
  table.add(MetricId::kPodsTracked,
            {"orb8_pods_tracked", "Pods that are known.", "{pod}", {}, kGauge});
  table.add(MetricId::kPodsEvicted, {"orb8_pods_evicted_total",
                                     "Running pods that were dropped for want of room.",
                                     "{pod}",
                                     {},
                                     kCounter});
  table.add(MetricId::kWatchRestarts, {"orb8_kubernetes_watch_restarts_total",
                                       "Watches that broke and went on from where they were.",
                                       "{watch}",
                                       {},
                                       kCounter});
  table.add(MetricId::kRelists, {"orb8_kubernetes_relists_total",
                                 "Lists after the first of a kind.",
                                 "{list}",
                                 {},
                                 kCounter});
  table.add(MetricId::kFailedRequests,
            {"orb8_kubernetes_failed_requests_total",
             "Requests to the API server that were not answered, or refused.",
             "{request}",
             {},
             kCounter});
  table.add(MetricId::kSkippedObjects,
            {"orb8_kubernetes_skipped_objects_total",
             "Objects that were malformed or too long, and are not known.",
             "{object}",
             {},
             kCounter});
}

void add_kernel(Table& table) {
  table.add(MetricId::kMapEntries, {"orb8_kernel_map_entries",
                                    "Entries of a map in the kernel, at the last snapshot.",
                                    "{entry}",
                                    {"map"},
                                    kGauge});
  table.add(MetricId::kMapMaxEntries, {"orb8_kernel_map_max_entries",
                                       "Entries that a map in the kernel has room for.",
                                       "{entry}",
                                       {"map"},
                                       kGauge});
  table.add(MetricId::kRingUsedBytes,
            {"orb8_kernel_ring_used_bytes",
             "Bytes of a ring that wait to be read, at the last snapshot.",
             "By",
             {"ring"},
             kGauge});
  table.add(
      MetricId::kRingSizeBytes,
      {"orb8_kernel_ring_size_bytes", "Bytes that a ring has room for.", "By", {"ring"}, kGauge});
  table.add(MetricId::kProgramRunSeconds,
            {"orb8_bpf_program_run_seconds_total",
             "Time that a BPF program ran; while kernel.bpf_stats_enabled is 1.",
             "s",
             {"program"},
             kCounter});
  table.add(MetricId::kProgramRuns,
            {"orb8_bpf_program_runs_total",
             "Times that a BPF program ran; while kernel.bpf_stats_enabled is 1.",
             "{run}",
             {"program"},
             kCounter});
}

void add_records_kept(Table& table) {
  table.add(MetricId::kExporterRecords,
            {"orb8_exporter_records_total",
             "What became of an exporter's records: taken (exported), never handed over (dropped), "
             "not taken (failed); of otlp-metrics data points.",
             "{record}",
             {"exporter", "outcome"},
             kCounter});
  table.add(
      MetricId::kHistoryFlows,
      {"orb8_history_flows", "Flows that have ended and are remembered.", "{flow}", {}, kGauge});
  table.add(MetricId::kHistoryOverwritten, {"orb8_history_overwritten_total",
                                            "Flows that the full history forgot before their time.",
                                            "{flow}",
                                            {},
                                            kCounter});
}

void add_process(Table& table) {
  table.add(
      MetricId::kProcessCpu,
      {"process_cpu_seconds_total", "CPU time of the agent, user and system.", "s", {}, kCounter});
  table.add(MetricId::kProcessResident,
            {"process_resident_memory_bytes", "Resident memory of the agent.", "By", {}, kGauge});
  table.add(MetricId::kProcessVirtual,
            {"process_virtual_memory_bytes", "Virtual memory of the agent.", "By", {}, kGauge});
  table.add(MetricId::kProcessOpenFds,
            {"process_open_fds", "Descriptors that the agent has open.", "{fd}", {}, kGauge});
  table.add(MetricId::kProcessMaxFds,
            {"process_max_fds", "Descriptors that the agent may have open.", "{fd}", {}, kGauge});
  table.add(MetricId::kProcessThreads,
            {"process_threads", "Threads of the agent.", "{thread}", {}, kGauge});
  table.add(MetricId::kProcessStart, {"process_start_time_seconds",
                                      "When the agent's process began, Unix time.",
                                      "s",
                                      {},
                                      kGauge});
}

std::vector<MetricInfo> make_registry() {
  Table table;
  add_flows(table);
  add_meter(table);
  add_agent(table);
  add_flow_table(table);
  add_kubernetes(table);
  add_kernel(table);
  add_records_kept(table);
  add_process(table);
  return table.take();
}

}  // namespace

std::span<const MetricInfo> registry() {
  static const std::vector<MetricInfo> all = make_registry();
  return all;
}

const MetricInfo& metric(MetricId id) {
  return registry()[std::to_underlying(id)];
}

std::string registry_markdown() {
  std::string text =
      "| metric | type | unit | labels | what it tells |\n"
      "|---|---|---|---|---|\n";
  for (const auto& info : registry()) {
    std::string labels;
    if (!info.labels.empty() && info.labels.front() == "direction") labels = "*own*";
    for (const auto label : info.labels) {
      labels += (labels.empty() ? "`" : ", `") + std::string(label) + "`";
    }
    text += "| `" + std::string(info.name) + "` | " + std::string(to_string(info.type)) + " | `" +
            std::string(info.unit) + "` | " + labels + " | " + std::string(info.help) + " |\n";
  }
  return text;
}

}  // namespace orb8
