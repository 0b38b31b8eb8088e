// Names are those of the semantic conventions where these have one; what they have none for is
// below "orb8.".
// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_logs.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "core/export/otlp_attributes.h"
#include "core/model/verdict.h"

namespace orb8 {
namespace {

constexpr std::string_view kPeer = "orb8.peer.";  // before the names of the other side

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return made;
}

// "FIN_WAIT1", the kernel's word, is "fin_wait_1" there.
std::string connection_state(std::uint8_t state) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kOthers = {
      {{"fin_wait1", "fin_wait_1"},
       {"fin_wait2", "fin_wait_2"},
       {"syn_recv", "syn_received"},
       {"new_syn_recv", "syn_received"},
       {"close", "closed"}}};
  auto word = lower(tcp_state_name(state));
  for (const auto& [ours, theirs] : kOthers) {
    if (word == ours) return std::string(theirs);
  }
  return word;
}

// The convention's name for the workload; kinds that it does not know keep their own.
std::string workload_key(std::string_view kind) {
  return "k8s." + lower(kind) + ".name";
}

// Who one side is. `prefix` is empty for the flow's own side.
void add_side(const EndpointRef& side, std::string_view prefix, OtlpAttributes& out) {
  if (!side || side->kind == EndpointKind::kUnknown) return;
  const auto key = [&](std::string_view name) { return std::string(prefix) + std::string(name); };
  out.add(prefix.empty() ? "orb8.kind" : key("kind"), to_string(side->kind));
  if (side->kind != EndpointKind::kPod) {
    out.add(prefix.empty() ? "orb8.name" : key("name"), side->name);
  } else {
    out.add(key("k8s.pod.name"), side->name);
    out.add(key("k8s.pod.uid"), side->uid);
    if (side->workload_kind != "Pod") {
      out.add(key(workload_key(side->workload_kind)), side->workload);
    }
    if (!prefix.empty()) out.add(key("k8s.node.name"), side->node);
    for (const auto& [name, value] : side->labels) {
      out.add(key("k8s.pod.label." + valid_utf8(name)), value);
    }
  }
  out.add(key("k8s.namespace.name"), side->name_space);
  out.add(key("cloud.availability_zone"), side->zone);
}

void add_service(const EndpointRef& service, std::string_view side, OtlpAttributes& out) {
  if (!service) return;
  const auto key = "orb8." + std::string(side) + ".service.";
  out.add(key + "namespace", service->name_space);
  out.add(key + "name", service->name);
  out.add(key + "port", service->port);
}

void add_ends(const FlowKey& key, OtlpAttributes& out) {
  out.add("source.address", to_string(key.src));
  out.add("destination.address", to_string(key.dst));
  if (is_icmp(key.protocol)) {
    out.add_count("orb8.icmp.type", key.src_port);
    out.add_count("orb8.icmp.code", key.dst_port);
  } else {
    out.add_count("source.port", key.src_port);
    out.add_count("destination.port", key.dst_port);
  }
  out.add("network.transport", lower(protocol_name(key.protocol)));
  out.add("network.type", key.src.is_v4() ? "ipv4" : "ipv6");
  out.add("network.io.direction", key.direction == Direction::kEgress ? "transmit" : "receive");
}

// The process and container that have the socket.
void add_owner(const OwnerRef& owner, OtlpAttributes& out) {
  if (!owner) return;
  const bool in_pod = owner->endpoint && owner->endpoint->kind == EndpointKind::kPod;
  out.add_if_not_0("process.pid", owner->pid);
  out.add("orb8.process.name", owner->comm);
  out.add("process.linux.cgroup", owner->cgroup_path);
  out.add("container.id", owner->container_id);
  out.add(in_pod ? "k8s.container.name" : "container.name", owner->container_name);
}

void add_socket(const Flow& flow, OtlpAttributes& out) {
  if (flow.key.socket == 0) return;
  const auto& facts = flow.socket;
  out.add_count("orb8.flow.payload_bytes", flow.payload_bytes);
  out.add_count("orb8.socket.cookie", flow.key.socket);
  out.add_if_not_0("orb8.socket.netns", facts.netns);
  if (flow.key.protocol != IPPROTO_TCP) return;
  out.add("network.connection.state", connection_state(facts.state));
  out.add("orb8.tcp.role", to_string(facts.role));
  out.add("orb8.tcp.failure", failure_of(facts));
  out.add_if_not_0("orb8.tcp.rtt_us", facts.rtt_us);
  out.add_if_not_0("orb8.tcp.min_rtt_us", facts.min_rtt_us);
  out.add_count("orb8.tcp.retransmits", facts.retransmits);
  out.add_count("orb8.tcp.retransmitted_bytes", facts.retransmitted_bytes);
}

// The strongest that can be said.
std::string_view verdict_of(const Flow& flow) {
  for (const auto verdict : {Verdict::kReset, Verdict::kFailed, Verdict::kEstablished}) {
    if (has_verdict(flow, verdict)) return to_string(verdict);
  }
  return "";
}

std::string sentence(const Flow& flow) {
  const auto& key = flow.key;
  const bool ports = !is_icmp(key.protocol) && (key.src_port != 0 || key.dst_port != 0);
  const auto end = [&](const Addr& addr, std::uint16_t port) {
    if (!ports) return to_string(addr);
    return addr.is_v4() ? fmt::format("{}:{}", to_string(addr), port)
                        : fmt::format("[{}]:{}", to_string(addr), port);
  };
  return fmt::format("{} -> {} {} {}: {} bytes, {} packets", end(key.src, key.src_port),
                     end(key.dst, key.dst_port), protocol_name(key.protocol),
                     to_string(key.direction), flow.bytes, flow.packets);
}

}  // namespace

void to_otlp(const Event& record, InterfaceNames& names, std::int64_t now_ns,
             opentelemetry::proto::logs::v1::LogRecord& out) {
  using namespace opentelemetry::proto::logs::v1;
  const auto& flow = record.flow;
  const auto& owners = *flow.owners;
  const bool sent = flow.key.direction == Direction::kEgress;
  out.set_time_unix_nano(static_cast<std::uint64_t>(flow.last_seen_ns));
  out.set_observed_time_unix_nano(static_cast<std::uint64_t>(now_ns));
  out.set_severity_number(SEVERITY_NUMBER_INFO);
  out.set_severity_text("INFO");
  out.set_event_name("orb8.flow");
  out.mutable_body()->set_string_value(sentence(flow));

  OtlpAttributes attributes(*out.mutable_attributes());
  add_ends(flow.key, attributes);
  attributes.add("network.interface.name", names.name_of(flow.ifindex));
  attributes.add_count("orb8.flow.bytes", flow.bytes);
  attributes.add_count("orb8.flow.packets", flow.packets);
  attributes.add_count("orb8.flow.start_time_unix_nano",
                       static_cast<std::uint64_t>(flow.first_seen_ns));
  attributes.add("orb8.flow.end_reason", to_string(record.end_reason));
  if (flow.key.protocol == IPPROTO_TCP) {
    attributes.add("orb8.flow.verdict", verdict_of(flow));
    attributes.add("orb8.tcp.flags", tcp_flags_text(flow.tcp_flags));
  }
  add_side(sent ? owners.src : owners.dst, "", attributes);
  add_side(sent ? owners.dst : owners.src, kPeer, attributes);
  add_service(owners.src_service, "source", attributes);
  add_service(owners.dst_service, "destination", attributes);
  add_owner(owners.local, attributes);
  add_socket(flow, attributes);
}

}  // namespace orb8
