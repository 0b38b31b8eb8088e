// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire.h"

#include <algorithm>
#include <limits>

#include "core/export/utf8.h"

namespace orb8 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

template <class Message>
void put_owner(const Owner& owner, Message& out) {
  out.set_cgroup_id(owner.cgroup_id);
  out.set_process(valid_utf8(owner.comm));
  out.set_pid(owner.pid);
  out.set_container_id(owner.container_id);
  out.set_container_name(valid_utf8(owner.container_name));
  out.set_cgroup_path(valid_utf8(owner.cgroup_path));
}

template <class Message>
void put_socket(const Flow& flow, Message& out) {
  const auto& facts = flow.socket;
  out.set_socket_cookie(flow.key.socket);
  out.set_netns(facts.netns);
  out.set_connection_state(std::string(tcp_state_name(facts.state)));
  out.set_role(std::string(to_string(facts.role)));
  out.set_failure_reason(failure_of(facts));
  out.set_rtt_us(facts.rtt_us);
  out.set_min_rtt_us(facts.min_rtt_us);
  out.set_retransmits(facts.retransmits);
  out.set_retransmitted_bytes(facts.retransmitted_bytes);
  out.set_payload_bytes(flow.payload_bytes);
  out.set_unread_bytes(facts.unread_bytes);
  out.set_unsent_bytes(facts.unsent_bytes);
  out.set_cwnd(facts.cwnd);
}

template <class Labels, class Map>
void put_labels(const Labels& labels, Map& out) {
  for (const auto& [key, value] : labels) out[valid_utf8(key)] = valid_utf8(value);
}

void put_endpoint(const Endpoint& endpoint, v1::Endpoint& out) {
  out.set_kind(std::string(to_string(endpoint.kind)));
  out.set_namespace_(valid_utf8(endpoint.name_space));
  out.set_name(valid_utf8(endpoint.name));
  out.set_workload_kind(valid_utf8(endpoint.workload_kind));
  out.set_workload(valid_utf8(endpoint.workload));
  out.set_node(valid_utf8(endpoint.node));
  out.set_zone(valid_utf8(endpoint.zone));
  out.set_uid(valid_utf8(endpoint.uid));
  put_labels(endpoint.labels, *out.mutable_labels());
}

bool is_known(const EndpointRef& endpoint) {
  return endpoint && endpoint->kind != EndpointKind::kUnknown;
}

template <class Message>
void put_sides(const FlowOwners& owners, Message& out) {
  if (is_known(owners.src)) put_endpoint(*owners.src, *out.mutable_src());
  if (is_known(owners.dst)) put_endpoint(*owners.dst, *out.mutable_dst());
  if (const auto& service = owners.src_service) {
    out.set_src_service(valid_utf8(service->name_space + "/" + service->name));
    out.set_src_service_port(valid_utf8(service->port));
  }
  if (const auto& service = owners.dst_service) {
    out.set_dst_service(valid_utf8(service->name_space + "/" + service->name));
    out.set_dst_service_port(valid_utf8(service->port));
  }
}

// What a flow and an event have in common; ICMP's type and code are no ports on the wire.
template <class Message>
void put_key(const Flow& flow, InterfaceNames& names, Message& out) {
  const auto shown = shown_pod(flow.key, *flow.owners);
  out.set_namespace_(valid_utf8(shown.name_space));
  out.set_pod_name(valid_utf8(shown.name));
  out.set_src_ip(to_string(flow.key.src));
  out.set_dst_ip(to_string(flow.key.dst));
  if (is_icmp(flow.key.protocol)) {
    out.set_icmp_type(flow.key.src_port);
    out.set_icmp_code(flow.key.dst_port);
  } else {
    out.set_src_port(flow.key.src_port);
    out.set_dst_port(flow.key.dst_port);
  }
  out.set_protocol(protocol_name(flow.key.protocol));
  out.set_direction(std::string(to_string(flow.key.direction)));
  out.set_first_seen_ns(flow.first_seen_ns);
  out.set_tcp_flags(flow.tcp_flags);
  out.set_ifindex(flow.ifindex);
  out.set_interface(names.name_of(flow.ifindex));
  if (flow.owners->local) put_owner(*flow.owners->local, out);
  put_sides(*flow.owners, out);
  // One that stands for several connections has no socket of its own, and their sums.
  if (flow.key.socket != 0 || flow.socket.role != Role::kUnknown) put_socket(flow, out);
}

v1::EventType to_wire(EventKind kind) {
  switch (kind) {
    case EventKind::kFlowStart:
      return v1::EVENT_TYPE_FLOW_START;
    case EventKind::kFlowUpdate:
      return v1::EVENT_TYPE_FLOW_UPDATE;
    case EventKind::kFlowEnd:
      return v1::EVENT_TYPE_FLOW_END;
    case EventKind::kPacket:
      break;
  }
  return v1::EVENT_TYPE_PACKET;
}

void to_wire(const Tally& tally, v1::Tally& out) {
  out.set_packets(tally.packets);
  out.set_bytes(tally.bytes);
}

}  // namespace

void to_wire(const Flow& flow, InterfaceNames& names, v1::NetworkFlow& out) {
  put_key(flow, names, out);
  out.set_bytes(flow.bytes);
  out.set_packets(flow.packets);
  out.set_last_seen_ns(flow.last_seen_ns);
  out.set_end_reason(std::string(to_string(end_of(flow))));
}

void to_wire(const Event& event, InterfaceNames& names, std::uint64_t dropped_before,
             v1::NetworkEvent& out) {
  put_key(event.flow, names, out);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  out.set_bytes(static_cast<std::uint32_t>(std::min(event.bytes, kMost)));
  out.set_byte_count(event.bytes);
  out.set_packets(event.packets);
  out.set_total_packets(event.flow.packets);
  out.set_total_bytes(event.flow.bytes);
  out.set_timestamp_ns(event.timestamp_ns);
  out.set_type(to_wire(event.kind));
  out.set_end_reason(std::string(to_string(event.end_reason)));
  out.set_dropped_before(dropped_before);
}

void to_wire(const Accounting& accounting, v1::Accounting& out) {
  to_wire(accounting.counted, *out.mutable_counted());
  to_wire(accounting.spilled, *out.mutable_spilled());
  to_wire(accounting.lost, *out.mutable_lost());
  to_wire(accounting.duplicate, *out.mutable_duplicate());
  to_wire(accounting.own, *out.mutable_own());
  to_wire(accounting.not_ip, *out.mutable_not_ip());
  to_wire(accounting.truncated, *out.mutable_truncated());
  to_wire(accounting.unparsed, *out.mutable_unparsed());
  out.set_packet_events(accounting.packet_events);
  out.set_packet_events_lost(accounting.packet_events_lost);
}

void to_wire(const WatchCounters& counters, v1::KubernetesStatus& out) {
  out.set_watch_restarts(counters.reconnects);
  out.set_relists(counters.relists);
  out.set_skipped_objects(counters.skipped_objects);
  out.set_failed_requests(counters.failed_requests);
}

void to_wire(const ExporterStatus& exporter, v1::ExporterStatus& out) {
  out.set_name(exporter.name);
  out.set_target(valid_utf8(exporter.target));
  out.set_healthy(exporter.healthy);
  out.set_exported(exporter.exported);
  out.set_dropped(exporter.dropped);
  out.set_failed(exporter.failed);
  out.set_reason(valid_utf8(exporter.reason));
}

void to_wire(const Status& status, const NodeInfo& node, std::int64_t now_ns,
             v1::AgentStatus& out) {
  out.set_node_name(valid_utf8(node.name));
  out.set_version(node.version);
  out.set_healthy(status.healthy());
  std::string reasons;
  for (const auto& component : status.components) {
    auto& row = *out.add_components();
    row.set_name(component.name);
    row.set_healthy(component.healthy);
    row.set_reason(valid_utf8(component.reason));
    if (!component.healthy) {
      reasons += (reasons.empty() ? "" : "; ") + row.name() + ": " + row.reason();
    }
  }
  out.set_health_message(reasons.empty() ? "ok" : reasons);
  out.set_events_processed(status.events_processed);
  out.set_events_dropped(status.events_dropped);
  out.set_pods_tracked(status.pods_tracked);
  out.set_pods_evicted(status.pods_evicted);
  if (status.kubernetes) to_wire(*status.kubernetes, *out.mutable_kubernetes());
  out.set_active_flows(status.active_flows);
  // The clock may have been set back since.
  out.set_uptime_seconds(std::max<std::int64_t>(now_ns - status.started_ns, 0) / kNsPerSecond);
  out.set_flow_source(status.source.name);
  out.set_flow_source_reason(valid_utf8(status.source.reason));
  for (const auto& program : status.source.programs) {
    auto& row = *out.add_programs();
    row.set_program(program.program);
    row.set_interface(valid_utf8(program.interface));
    row.set_ifindex(program.ifindex);
    row.set_direction(program.direction);
    row.set_mechanism(program.mechanism);
  }
  to_wire(status.source.accounting, *out.mutable_accounting());
  out.set_flows_evicted(status.flows_evicted);
  out.set_flows_expired(status.flows_expired);
  out.set_max_flows(status.max_flows);
  out.set_subscribers(status.subscribers);
  out.set_subscriber_drops(status.subscriber_drops);
  out.set_flows_ended_unseen(status.flows_ended_unseen);
  out.set_socket_ends_missed(status.source.socket_ends_missed);
  out.set_sockets_untracked(status.source.sockets_untracked);
  out.set_metric_series(status.metric_series);
  out.set_metric_series_folded(status.metric_series_folded);
  for (const auto& exporter : status.exporters) to_wire(exporter, *out.add_exporters());
  out.set_history_flows(status.history_flows);
  out.set_history_overwritten(status.history_overwritten);
  out.set_history_from_ns(status.history_from_ns);
}

}  // namespace orb8
