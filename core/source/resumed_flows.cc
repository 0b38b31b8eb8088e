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
  from.retransmitted_bytes += flow.told.retransmitted_bytes;
  from.retransmits += flow.told.retransmits;
}

void ResumedFlows::take_off(FlowRecord& record) {
  if (flows_.empty() || record.incarnation == 0) return;
  const auto found = flows_.find(record.key);
  if (found == flows_.end() || found->second.incarnation != record.incarnation) return;
  const auto& from = found->second;
  record.packets -= std::min(record.packets, from.packets);
  record.bytes -= std::min(record.bytes, from.bytes);
  record.payload_bytes -= std::min(record.payload_bytes, from.payload_bytes);
  auto& facts = record.socket;
  facts.retransmitted_bytes -= std::min(facts.retransmitted_bytes, from.retransmitted_bytes);
  facts.retransmits -= std::min(facts.retransmits, from.retransmits);
  if (record.life == FlowLife::kClosed) flows_.erase(found);
}

void ResumedFlows::keep_only(const LivingSockets& living) {
  std::erase_if(flows_, [&](const auto& flow) { return !living.contains(flow.first.socket); });
}

}  // namespace orb8
