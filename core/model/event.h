// What a live stream carries: a flow that started, moved or ended, or one packet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "core/model/flow.h"

namespace orb8 {

enum class EventKind : std::uint8_t { kFlowStart, kFlowUpdate, kFlowEnd, kPacket };

std::string_view to_string(EventKind kind);  // "start", "update", "end", "packet"

struct Event {
  EventKind kind = EventKind::kFlowUpdate;
  EndReason end_reason = EndReason::kNone;
  Flow flow;                  // for a packet: that packet alone
  std::uint64_t packets = 0;  // moved since the flow's last event
  std::uint64_t bytes = 0;
  std::int64_t timestamp_ns = 0;  // Unix epoch
  std::uint64_t cgroup_id = 0;    // of a packet's sender; 0: not known
  std::uint64_t number = 0;       // of a live event, in the order of their publishing
};

}  // namespace orb8
