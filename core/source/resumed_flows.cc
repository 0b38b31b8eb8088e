// SPDX-License-Identifier: Apache-2.0
#include "core/source/resumed_flows.h"

#include <algorithm>

namespace orb8 {

void ResumedFlows::add(const ToldFlow& flow) {
  auto& from = flows_[flow.key];
  if (from.incarnation != flow.told.incarnation) from = {.incarnation = flow.told.incarnation};
  from.packets += flow.told.packets;
  from.bytes += flow.told.bytes;
  from.payload_bytes += flow.told.payload_bytes;
}

void ResumedFlows::take_off(FlowRecord& record) {
  if (flows_.empty() || record.incarnation == 0) return;
  const auto from = flows_.find(record.key);
  if (from == flows_.end() || from->second.incarnation != record.incarnation) return;
  record.packets -= std::min(record.packets, from->second.packets);
  record.bytes -= std::min(record.bytes, from->second.bytes);
  record.payload_bytes -= std::min(record.payload_bytes, from->second.payload_bytes);
  if (record.life == FlowLife::kClosed) flows_.erase(from);
}

void ResumedFlows::keep_only(const LivingSockets& living) {
  std::erase_if(flows_, [&](const auto& flow) { return !living.contains(flow.first.socket); });
}

}  // namespace orb8
