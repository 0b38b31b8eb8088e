// SPDX-License-Identifier: Apache-2.0
#include "core/source/socket_records.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstring>

namespace orb8 {
namespace {

constexpr std::uint64_t kEthernetBytes = 14;
constexpr std::uint64_t kIpv4Bytes = 20;
constexpr std::uint64_t kIpv6Bytes = 40;

FlowKey key_of(const orb8_socket_record& record, Direction direction) {
  const auto& ends = record.tuple;
  const bool sent = direction == Direction::kEgress;
  // ICMP's type and code say what the message is, and are no ends to be exchanged.
  const bool exchanged = !sent && !is_icmp(ends.proto);
  return {.src = Addr::of(sent ? ends.laddr : ends.raddr),
          .dst = Addr::of(sent ? ends.raddr : ends.laddr),
          .src_port = exchanged ? ends.rport : ends.lport,
          .dst_port = exchanged ? ends.lport : ends.rport,
          .protocol = ends.proto,
          .direction = direction,
          .socket = record.owner.cookie};
}

FlowLife life_of(const orb8_socket_record& record) {
  if (record.kind == ORB8_CLOSED) return FlowLife::kClosed;
  // Nothing but silence tells that somebody has no more to say by UDP.
  return record.tuple.proto == IPPROTO_TCP ? FlowLife::kOpen : FlowLife::kByPackets;
}

// Who accepts connections to the near end of this one, if anybody does.
const Listeners::Process* listener_of(const orb8_socket_record& record,
                                      const Listeners& listeners) {
  return listeners.at(record.owner.netns, Addr::of(record.tuple.laddr), record.tuple.lport);
}

Role role_of(const orb8_socket_record& record, const Listeners& listeners) {
  if (record.tuple.proto != IPPROTO_TCP) return Role::kUnknown;
  switch (record.owner.role) {
    case ORB8_ROLE_CLIENT:
      return Role::kClient;
    case ORB8_ROLE_SERVER:
      return Role::kServer;
    default:  // nobody saw it open
      return listener_of(record, listeners) ? Role::kServer : Role::kClient;
  }
}

// A connection that nobody saw opening, and that was accepted, is its listener's.
Listeners::Process process_of(const orb8_socket_record& record, Role role,
                              const Listeners& listeners) {
  if (record.owner.pid == 0 && role == Role::kServer) {
    if (const auto* listener = listener_of(record, listeners)) return *listener;
  }
  Listeners::Process process{.pid = record.owner.pid};
  std::memcpy(process.comm.data(), record.owner.comm, process.comm.size());
  return process;
}

SocketFacts facts_of(const orb8_socket_record& record, const Listeners& listeners) {
  SocketFacts facts;
  facts.netns = record.owner.netns;
  facts.rtt_us = record.rtt_us;
  facts.min_rtt_us = record.min_rtt_us;
  facts.cwnd = record.cwnd;
  facts.unread_bytes = record.unread_bytes;
  facts.unsent_bytes = record.unsent_bytes;
  facts.retransmits = record.retransmits;
  facts.retransmitted_bytes = record.retransmitted_bytes;
  facts.state = record.state;
  facts.old_state = record.old_state;
  facts.role = role_of(record, listeners);
  facts.error = static_cast<std::uint8_t>(std::clamp(record.error, 0, 255));
  return facts;
}

// UDP's payload is what the headers leave, and UDP-Lite's, which has the same (RFC 3828); IP
// options, which nobody uses, count as payload.
std::uint64_t payload_of(const orb8_socket_record& record, const orb8_transfer& moved) {
  if (record.tuple.proto == IPPROTO_TCP) return moved.payload;
  if (record.tuple.proto != IPPROTO_UDP && record.tuple.proto != IPPROTO_UDPLITE) return 0;
  const auto ip = Addr::of(record.tuple.raddr).is_v4() ? kIpv4Bytes : kIpv6Bytes;
  const auto headers = moved.packets * (kEthernetBytes + ip + sizeof(std::uint64_t));
  return moved.bytes > headers ? moved.bytes - headers : 0;
}

}  // namespace

void Listeners::add(const orb8_socket_record& record) {
  const Place place(record.owner.netns, record.tuple.lport, Addr::of(record.tuple.laddr));
  if (!by_cookie_.try_emplace(record.owner.cookie, place).second) return;
  Process process{.pid = record.owner.pid};
  std::memcpy(process.comm.data(), record.owner.comm, process.comm.size());
  sockets_[place].emplace(record.owner.cookie, process);
}

void Listeners::remove(const orb8_socket_record& record) {
  const auto found = by_cookie_.find(record.owner.cookie);
  if (found == by_cookie_.end()) return;
  const auto sockets = sockets_.find(found->second);
  sockets->second.erase(record.owner.cookie);
  if (sockets->second.empty()) sockets_.erase(sockets);
  by_cookie_.erase(found);
}

// A listener at :: accepts IPv4 as well, unless it is IPV6_V6ONLY, which no record tells.
const Listeners::Process* Listeners::at(std::uint32_t netns, const Addr& addr,
                                        std::uint16_t port) const {
  const auto find = [&](const Addr& at) -> const Process* {
    const auto found = sockets_.find({netns, port, at});
    return found == sockets_.end() ? nullptr : &found->second.begin()->second;
  };
  if (const auto* here = find(addr)) return here;
  if (const auto* anywhere = find(Addr{})) return anywhere;
  return addr.is_v4() ? find(Addr::v4(0, 0, 0, 0)) : nullptr;
}

SocketFlows to_flows(const orb8_socket_record& record, const BootClock& clock,
                     const Listeners& listeners) {
  FlowRecord common;
  common.life = life_of(record);
  common.socket = facts_of(record, listeners);
  const auto process = process_of(record, common.socket.role, listeners);
  common.pid = process.pid;
  common.comm = process.comm;
  common.cgroup_id = record.owner.cgroup_id;
  // A packet that found no room stands alone.
  common.incarnation = record.kind == ORB8_SPILL ? 0 : record.owner.first_ns;
  common.first_seen_ns = clock.wall_ns(record.owner.first_ns);
  const auto last = std::max(record.sent.last_jiffies, record.received.last_jiffies);
  const auto last_ns = last != 0 ? clock.wall_of_jiffies(last) : common.first_seen_ns;
  common.last_seen_ns =
      record.kind == ORB8_CLOSED ? clock.now_ns() : std::max(last_ns, common.first_seen_ns);
  if (record.kind == ORB8_SPILL) common.first_seen_ns = common.last_seen_ns;

  const auto direction = [&](Direction which, const orb8_transfer& moved) {
    FlowRecord flow = common;
    flow.key = key_of(record, which);
    flow.packets = moved.packets;
    flow.bytes = moved.bytes;
    flow.payload_bytes = payload_of(record, moved);
    return flow;
  };
  return {.egress = direction(Direction::kEgress, record.sent),
          .ingress = direction(Direction::kIngress, record.received)};
}

}  // namespace orb8
