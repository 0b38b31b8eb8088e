// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/export/utf8.h"

namespace orb8 {
namespace {

std::unexpected<Error> wrong(std::string_view field, std::string_view value,
                             std::string_view allowed) {
  return fail(Errc::kInvalid, fmt::format("{}: '{}' is not allowed; it must be {}", field,
                                          quotable(value), allowed));
}

Result<Addr> address(std::string_view field, const std::string& text) {
  const auto addr = parse_addr(text);
  if (!addr) return wrong(field, text, "an IP address");
  return *addr;
}

Result<std::uint16_t> small(std::string_view field, std::uint32_t value) {
  if (value > std::numeric_limits<std::uint16_t>::max()) {
    return wrong(field, std::to_string(value), "a number from 0 to 65535");
  }
  return static_cast<std::uint16_t>(value);
}

// Absent: for this kind there is no word.
std::optional<EndpointKind> kind_of(std::string_view text) {
  constexpr std::array kKinds = {EndpointKind::kExternal,  EndpointKind::kNode,
                                 EndpointKind::kPod,       EndpointKind::kService,
                                 EndpointKind::kContainer, EndpointKind::kProcess};
  for (const auto kind : kKinds) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

// One of a kind that came with a later version is nobody that a filter of ours can ask for.
EndpointRef endpoint(const v1::Endpoint& wire) {
  const auto kind = kind_of(wire.kind());
  if (!kind) return nullptr;
  if (*kind == EndpointKind::kExternal) return external_endpoint();
  Endpoint value{.kind = *kind, .name_space = wire.namespace_(), .name = wire.name()};
  value.uid = wire.uid();
  value.workload_kind = wire.workload_kind();
  value.workload = wire.workload();
  value.node = wire.node();
  value.zone = wire.zone();
  value.labels.assign(wire.labels().begin(), wire.labels().end());
  std::ranges::sort(value.labels);
  return std::make_shared<const Endpoint>(std::move(value));
}

// "namespace/name"
EndpointRef service(const std::string& text, const std::string& port) {
  if (text.empty()) return nullptr;
  const auto slash = std::min(text.find('/'), text.size());
  Endpoint value{.kind = EndpointKind::kService,
                 .name_space = text.substr(0, slash),
                 .name = text.substr(std::min(slash + 1, text.size()))};
  value.port = port;
  return std::make_shared<const Endpoint>(std::move(value));
}

template <class Message>
OwnerRef local_owner(const Message& wire) {
  Owner owner{.cgroup_id = wire.cgroup_id(),
              .pid = wire.pid(),
              .comm = wire.process(),
              .cgroup_path = wire.cgroup_path(),
              .container_id = wire.container_id(),
              .container_name = wire.container_name()};
  const bool known = owner.cgroup_id != 0 || owner.pid != 0 || !owner.comm.empty() ||
                     !owner.cgroup_path.empty() || !owner.container_id.empty() ||
                     !owner.container_name.empty();
  return known ? std::make_shared<const Owner>(std::move(owner)) : nullptr;
}

template <class Message>
FlowOwners owners_of(const Message& wire, Direction direction) {
  FlowOwners owners{.src = endpoint(wire.src()),
                    .dst = endpoint(wire.dst()),
                    .src_service = service(wire.src_service(), wire.src_service_port()),
                    .dst_service = service(wire.dst_service(), wire.dst_service_port()),
                    .local = local_owner(wire)};
  // Upstream's agents name the pod alone.
  const bool named = !wire.pod_name().empty() && wire.namespace_() != "external";
  if (!owners.src && !owners.dst && named) {
    auto& here = direction == Direction::kIngress ? owners.dst : owners.src;
    here = std::make_shared<const Endpoint>(Endpoint{
        .kind = EndpointKind::kPod, .name_space = wire.namespace_(), .name = wire.pod_name()});
  }
  return owners;
}

Result<std::uint8_t> state_of(const std::string& text) {
  if (text.empty()) return std::uint8_t{0};
  for (std::uint8_t state = 1; !tcp_state_name(state).empty(); ++state) {
    if (tcp_state_name(state) == text) return state;
  }
  return wrong("connection_state", text, "a state of TCP, as ESTABLISHED or CLOSE");
}

Result<Role> role_of(const std::string& text) {
  for (const auto role : {Role::kUnknown, Role::kClient, Role::kServer}) {
    if (to_string(role) == text) return role;
  }
  return wrong("role", text, "client or server");
}

template <class Message>
Result<SocketFacts> facts_of(const Message& wire) {
  const auto state = state_of(wire.connection_state());
  if (!state) return std::unexpected(state.error());
  const auto role = role_of(wire.role());
  if (!role) return std::unexpected(role.error());
  SocketFacts facts{.retransmitted_bytes = wire.retransmitted_bytes(),
                    .netns = wire.netns(),
                    .rtt_us = wire.rtt_us(),
                    .min_rtt_us = wire.min_rtt_us(),
                    .cwnd = wire.cwnd(),
                    .unread_bytes = wire.unread_bytes(),
                    .unsent_bytes = wire.unsent_bytes(),
                    .retransmits = wire.retransmits(),
                    .state = *state,
                    .role = *role};
  if (!set_failure(wire.failure_reason(), facts)) {
    return wrong("failure_reason", wire.failure_reason(),
                 "why a connection that is over (CLOSE) failed, as refused or timed out");
  }
  return facts;
}

template <class Message>
Result<FlowKey> key_of(const Message& wire) {
  const auto src = address("src_ip", wire.src_ip());
  if (!src) return std::unexpected(src.error());
  const auto dst = address("dst_ip", wire.dst_ip());
  if (!dst) return std::unexpected(dst.error());
  const auto protocol = parse_protocol(wire.protocol());
  if (!protocol) return wrong("protocol", wire.protocol(), "a protocol's name or number");
  const auto direction = parse_direction(wire.direction());
  if (!direction) return wrong("direction", wire.direction(), "ingress or egress");
  const bool icmp = is_icmp(*protocol);
  const auto src_port =
      icmp ? small("icmp_type", wire.icmp_type()) : small("src_port", wire.src_port());
  if (!src_port) return std::unexpected(src_port.error());
  const auto dst_port =
      icmp ? small("icmp_code", wire.icmp_code()) : small("dst_port", wire.dst_port());
  if (!dst_port) return std::unexpected(dst_port.error());
  return FlowKey{.src = *src,
                 .dst = *dst,
                 .src_port = *src_port,
                 .dst_port = *dst_port,
                 .protocol = *protocol,
                 .direction = *direction,
                 .socket = wire.socket_cookie()};
}

// What a flow and an event have in common.
template <class Message>
Result<Flow> flow_of(const Message& wire) {
  const auto key = key_of(wire);
  if (!key) return std::unexpected(key.error());
  const auto facts = facts_of(wire);
  if (!facts) return std::unexpected(facts.error());
  Flow flow;
  flow.key = *key;
  flow.ifindex = wire.ifindex();
  flow.tcp_flags = static_cast<std::uint8_t>(wire.tcp_flags());
  flow.payload_bytes = wire.payload_bytes();
  flow.first_seen_ns = wire.first_seen_ns();
  flow.socket = *facts;
  flow.owners = owners_of(wire, key->direction);
  return flow;
}

EventKind kind_of(v1::EventType type) {
  switch (type) {
    case v1::EVENT_TYPE_FLOW_START:
      return EventKind::kFlowStart;
    case v1::EVENT_TYPE_FLOW_UPDATE:
      return EventKind::kFlowUpdate;
    case v1::EVENT_TYPE_FLOW_END:
      return EventKind::kFlowEnd;
    default:  // upstream's agents know packets only, and no types
      return EventKind::kPacket;
  }
}

EndReason end_reason_of(const std::string& text) {
  for (const auto reason : {EndReason::kClosed, EndReason::kIdle, EndReason::kEvicted}) {
    if (to_string(reason) == text) return reason;
  }
  return EndReason::kNone;
}

}  // namespace

Result<Flow> from_wire(const v1::NetworkFlow& wire) {
  auto flow = flow_of(wire);
  if (!flow) return flow;
  flow->packets = wire.packets();
  flow->bytes = wire.bytes();
  flow->last_seen_ns = wire.last_seen_ns();
  return flow;
}

Result<Event> from_wire(const v1::NetworkEvent& wire) {
  auto flow = flow_of(wire);
  if (!flow) return std::unexpected(flow.error());
  Event event;
  event.kind = kind_of(wire.type());
  event.end_reason = end_reason_of(wire.end_reason());
  // Upstream's packet events do not say that they are one.
  event.packets = event.kind == EventKind::kPacket ? std::max<std::uint64_t>(wire.packets(), 1)
                                                   : wire.packets();
  event.bytes = std::max<std::uint64_t>(wire.byte_count(), wire.bytes());
  event.timestamp_ns = wire.timestamp_ns();
  event.cgroup_id = wire.cgroup_id();
  event.flow = std::move(*flow);
  const bool packet = event.kind == EventKind::kPacket;  // of which upstream has no totals
  event.flow.packets = packet ? event.packets : wire.total_packets();
  event.flow.bytes = packet ? event.bytes : wire.total_bytes();
  event.flow.last_seen_ns = wire.timestamp_ns();
  return event;
}

}  // namespace orb8
