// SPDX-License-Identifier: Apache-2.0
#include "core/export/groups_wire.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "core/export/utf8.h"
#include "core/model/flow.h"

namespace orb8 {
namespace {

struct Dimension {
  GroupBy by;
  v1::GroupBy wire;
  void (*set)(v1::FlowGroup& out, const std::string& name);  // null: the port, a number
};

constexpr std::array<Dimension, kGroupBys> kDimensions = {{
    {GroupBy::kPod, v1::GROUP_BY_POD,
     [](v1::FlowGroup& out, const std::string& name) { out.set_pod(name); }},
    {GroupBy::kWorkload, v1::GROUP_BY_WORKLOAD,
     [](v1::FlowGroup& out, const std::string& name) { out.set_workload(name); }},
    {GroupBy::kNamespace, v1::GROUP_BY_NAMESPACE,
     [](v1::FlowGroup& out, const std::string& name) { out.set_namespace_(name); }},
    {GroupBy::kNode, v1::GROUP_BY_NODE,
     [](v1::FlowGroup& out, const std::string& name) { out.set_node(name); }},
    {GroupBy::kProcess, v1::GROUP_BY_PROCESS,
     [](v1::FlowGroup& out, const std::string& name) { out.set_process(name); }},
    {GroupBy::kService, v1::GROUP_BY_SERVICE,
     [](v1::FlowGroup& out, const std::string& name) { out.set_service(name); }},
    {GroupBy::kPort, v1::GROUP_BY_PORT, nullptr},
    {GroupBy::kPeerPod, v1::GROUP_BY_PEER_POD,
     [](v1::FlowGroup& out, const std::string& name) { out.set_peer_pod(name); }},
    {GroupBy::kPeerWorkload, v1::GROUP_BY_PEER_WORKLOAD,
     [](v1::FlowGroup& out, const std::string& name) { out.set_peer_workload(name); }},
    {GroupBy::kPeerNamespace, v1::GROUP_BY_PEER_NAMESPACE,
     [](v1::FlowGroup& out, const std::string& name) { out.set_peer_namespace(name); }},
    {GroupBy::kPeerNode, v1::GROUP_BY_PEER_NODE,
     [](v1::FlowGroup& out, const std::string& name) { out.set_peer_node(name); }},
    {GroupBy::kPeerIp, v1::GROUP_BY_PEER_IP,
     [](v1::FlowGroup& out, const std::string& name) { out.set_peer_ip(name); }},
}};

std::string allowed() {
  std::string names;
  for (const auto& dimension : kDimensions) {
    names += (names.empty() ? "" : ", ") + v1::GroupBy_Name(dimension.wire);
  }
  return names;
}

void put_sums(const FlowSums& sums, v1::FlowGroup& out) {
  out.set_flows(sums.flows);
  out.set_sent_packets(sums.sent.packets);
  out.set_sent_bytes(sums.sent.bytes);
  out.set_sent_payload_bytes(sums.sent.payload_bytes);
  out.set_received_packets(sums.received.packets);
  out.set_received_bytes(sums.received.bytes);
  out.set_received_payload_bytes(sums.received.payload_bytes);
  out.set_connections(sums.connections);
  out.set_established_connections(sums.established);
  out.set_failed_connections(sums.failed);
  out.set_reset_connections(sums.reset);
  out.set_retransmits(sums.retransmits);
  out.set_smallest_rtt_us(sums.smallest_rtt_us);
  out.set_largest_rtt_us(sums.largest_rtt_us);
  out.set_first_seen_ns(sums.first_seen_ns);
  out.set_last_seen_ns(sums.last_seen_ns);
}

void put_names(const FlowGroup& group, std::span<const GroupBy> dimensions, v1::FlowGroup& out) {
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const auto* known = std::ranges::find(kDimensions, dimensions[i], &Dimension::by);
    if (known->set != nullptr) {
      known->set(out, valid_utf8(group.names[i]));
      continue;
    }
    out.set_protocol(protocol_name(group.protocol));
    if (group.port) out.set_port(*group.port);
  }
}

}  // namespace

Result<std::vector<GroupBy>> read_group_by(const google::protobuf::RepeatedField<int>& group_by) {
  std::vector<GroupBy> dimensions;
  for (const int wire : group_by) {
    const auto* known = std::ranges::find(kDimensions, wire, &Dimension::wire);
    if (known == kDimensions.end()) {
      return fail(Errc::kInvalid, "group_by: '" + std::to_string(wire) +
                                      "' is not allowed; it must be one of " + allowed());
    }
    if (std::ranges::find(dimensions, known->by) != dimensions.end()) {
      return fail(Errc::kInvalid, "group_by: " + v1::GroupBy_Name(known->wire) + " is there twice");
    }
    dimensions.push_back(known->by);
  }
  return dimensions;
}

void to_wire(const FlowGroups& groups, std::span<const GroupBy> dimensions,
             v1::QueryFlowsResponse& out) {
  for (const auto& group : groups.groups) {
    auto& row = *out.add_groups();
    put_names(group, dimensions, row);
    put_sums(group.sums, row);
  }
  out.set_matched(groups.matched);
  if (groups.other_groups == 0) return;
  auto& others = *out.add_groups();
  others.set_other_groups(static_cast<std::uint32_t>(groups.other_groups));
  put_sums(groups.others, others);
}

}  // namespace orb8
