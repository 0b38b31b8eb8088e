// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_flows.h"

#include <algorithm>

#include "core/export/flow_answer.h"
#include "core/export/groups_wire.h"
#include "core/export/interface_names.h"
#include "core/export/wire.h"
#include "core/flow/flow_groups.h"

namespace orb8 {

v1::NetworkFlow* SavedFlows::put(const Key& key, const Flow& value) {
  latest_ns_ = std::max(latest_ns_, value.last_seen_ns);
  const auto found = places_.find(key);
  if (found != places_.end()) {
    values_[found->second] = value;
    return &messages_[found->second];
  }
  if (values_.size() >= most_flows_) {
    ++left_out_;
    return nullptr;
  }
  places_.emplace(key, values_.size());
  values_.push_back(value);
  return &messages_.emplace_back();
}

void SavedFlows::add(const v1::NetworkFlow& message, const Flow& value) {
  interfaces_[message.ifindex()] = message.interface();
  auto* kept = put({value.key, value.first_seen_ns}, value);
  if (kept != nullptr) *kept = message;
}

void SavedFlows::add(const v1::NetworkEvent& message, const Event& value) {
  interfaces_[message.ifindex()] = message.interface();
  if (value.kind == EventKind::kPacket) return add_packets(message, value);
  auto* kept = put({value.flow.key, value.flow.first_seen_ns}, value.flow);
  if (kept == nullptr) return;
  InterfaceNames here;  // which are not those of the agent's machine
  kept->Clear();
  to_wire(value.flow, here, *kept);
  kept->set_interface(message.interface());
}

void SavedFlows::add_packets(const v1::NetworkEvent& message, const Event& value) {
  const Key key{value.flow.key, kByPackets};
  auto sum = value.flow;
  if (const auto found = places_.find(key); found != places_.end()) {
    const auto& before = values_[found->second];
    sum.packets += before.packets;
    sum.bytes += before.bytes;
    sum.tcp_flags |= before.tcp_flags;
    sum.first_seen_ns = before.first_seen_ns;
    sum.last_seen_ns = std::max(sum.last_seen_ns, before.last_seen_ns);
  } else if (sum.first_seen_ns == 0) {
    sum.first_seen_ns = value.timestamp_ns;
  }
  auto* kept = put(key, sum);
  if (kept == nullptr) return;
  InterfaceNames here;
  kept->Clear();
  to_wire(sum, here, *kept);
  kept->set_interface(message.interface());
}

const v1::NetworkFlow& SavedFlows::message_of(const Flow& picked) const {
  auto found = places_.find({picked.key, picked.first_seen_ns});
  if (found == places_.end()) found = places_.find({picked.key, kByPackets});
  return messages_[found->second];
}

v1::QueryFlowsResponse SavedFlows::answer(const FlowQuery& query) const {
  const FlowSet flows(values_, query.period);
  v1::QueryFlowsResponse answer;
  answer.set_taken_ns(latest_ns_);
  if (!query.group_by.empty()) {
    to_wire(group_flows(flows, query.matcher, query.group_by, query.order.sort, query.limit),
            query.group_by, answer);
    return answer;
  }
  const auto picked = pick_flows(flows, query);
  InterfaceNames here;
  for (const auto& flow : picked.flows) {
    auto& message = *answer.add_flows();
    if (!query.collapse_client_ports) {
      message = message_of(flow);
      continue;
    }
    to_wire(flow, here, message);
    const auto interface = interfaces_.find(flow.ifindex);
    message.set_interface(interface == interfaces_.end() ? "" : interface->second);
  }
  answer.set_matched(picked.matched);
  return answer;
}

}  // namespace orb8
