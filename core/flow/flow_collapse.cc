// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_collapse.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace orb8 {
namespace {

// Processes by name: a client that is started for each connection is one client.
struct GroupKey {
  FlowKey flow;
  std::uint64_t cgroup_id = 0;
  std::string_view process;
  std::uint32_t netns = 0;

  bool operator==(const GroupKey&) const = default;
};

struct GroupKeyHash {
  std::size_t operator()(const GroupKey& key) const noexcept {
    auto flow = key.flow;
    flow.socket = key.cgroup_id << 32U ^ std::hash<std::string_view>{}(key.process) ^ key.netns;
    return FlowKeyHash{}(flow) ^ std::hash<std::uint64_t>{}(key.flow.socket);
  }
};

// Valid as long as the flow's owners.
GroupKey group_of(const Flow& flow) {
  GroupKey group{.flow = flow.key, .netns = flow.socket.netns};
  if (const auto& local = flow.owners->local) {
    group.cgroup_id = local->cgroup_id;
    group.process = local->comm;
  }
  if (flow.socket.role == Role::kUnknown) return group;
  const bool client = flow.socket.role == Role::kClient;
  const bool sent = flow.key.direction == Direction::kEgress;
  (client == sent ? group.flow.src_port : group.flow.dst_port) = 0;
  group.flow.socket = 0;
  return group;
}

std::uint32_t least(std::uint32_t a, std::uint32_t b) {
  if (a == 0 || b == 0) return std::max(a, b);  // 0: not known
  return std::min(a, b);
}

// A sum over several processes has no pid.
void join_process(Flow& sum, const OwnerRef& local) {
  const auto& so_far = sum.owners->local;
  if (!local || so_far->pid == local->pid || so_far->pid == 0) return;
  auto several = *so_far;
  several.pid = 0;
  auto owners = *sum.owners;
  owners.local = std::make_shared<const Owner>(std::move(several));
  sum.owners = std::move(owners);
}

void add_to(Flow& sum, const Flow& flow) {
  join_process(sum, flow.owners->local);
  sum.packets += flow.packets;
  sum.bytes += flow.bytes;
  sum.payload_bytes += flow.payload_bytes;
  sum.first_seen_ns = std::min(sum.first_seen_ns, flow.first_seen_ns);
  sum.last_seen_ns = std::max(sum.last_seen_ns, flow.last_seen_ns);
  auto& facts = sum.socket;
  facts.rtt_us = std::max(facts.rtt_us, flow.socket.rtt_us);
  facts.min_rtt_us = least(facts.min_rtt_us, flow.socket.min_rtt_us);
  facts.retransmits += flow.socket.retransmits;
  facts.retransmitted_bytes += flow.socket.retransmitted_bytes;
  facts.unread_bytes += flow.socket.unread_bytes;
  facts.unsent_bytes += flow.socket.unsent_bytes;
  facts.cwnd = 0;  // of one connection each: no sum, and the states are several
  if (facts.state != flow.socket.state) facts.state = 0;
  if (sum.end_reason != flow.end_reason) sum.end_reason = EndReason::kNone;
}

}  // namespace

std::vector<Flow> collapse_client_ports(const FlowSet& flows, const FlowMatcher& matcher) {
  std::vector<Flow> sums;
  std::unordered_map<GroupKey, std::size_t, GroupKeyHash> places;
  flows.for_each([&](const Flow& flow) {
    if (!matcher.matches(flow)) return;
    const auto group = group_of(flow);
    const auto [place, fresh] = places.try_emplace(group, sums.size());
    if (!fresh) {
      add_to(sums[place->second], flow);
      return;
    }
    sums.push_back(flow);
    sums.back().key = group.flow;
  });
  return sums;
}

}  // namespace orb8
