// What a live stream carries: a flow that started, moved or ended, or one packet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "core/model/flow.h"

namespace orb8 {

enum class EventKind : std::uint8_t { kFlowStart, kFlowUpdate, kFlowEnd, kPacket };

enum class EndReason : std::uint8_t {
  kNone,
  kClosed,   // FIN or RST seen, then silence
  kIdle,     // nothing for the flow timeout
  kEvicted,  // pushed out of a full table
};

std::string_view to_string(EventKind kind);    // "start", "update", "end", "packet"
std::string_view to_string(EndReason reason);  // "", "closed", "idle", "evicted"

struct Event {
  EventKind kind = EventKind::kFlowUpdate;
  EndReason end_reason = EndReason::kNone;
  Flow flow;                  // for a packet: that packet alone
  std::uint64_t packets = 0;  // moved since the flow's last event
  std::uint64_t bytes = 0;
  std::int64_t timestamp_ns = 0;  // Unix epoch
  std::uint64_t cgroup_id = 0;    // of a packet's sender; 0: not known
};

}  // namespace orb8
