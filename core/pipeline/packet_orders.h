// What the packet listeners want, brought to the source; where it refuses, again after a while.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/flow/stream_hub.h"
#include "core/model/status.h"
#include "core/source/flow_source.h"

namespace orb8 {

// The pipeline's thread's.
class PacketOrders {
 public:
  using Clock = std::chrono::steady_clock;

  // Both outlive it.
  PacketOrders(FlowSource& source, const StreamHub& hub) : source_(source), hub_(hub) {}

  // To be called often: brings an order that is new, and one that was refused once more when it is
  // time. That may mean to load and attach programs, so it is tried ever less often.
  void follow(Clock::time_point now);

  // Not healthy while somebody wants packets that the source cannot give, or the other way round.
  Component component() const;

 private:
  FlowSource& source_;
  const StreamHub& hub_;
  std::uint64_t generation_ = 0;  // of the order that was brought last
  std::string refusal_;           // what came of it; empty: it was accepted
  Clock::duration wait_{};
  Clock::time_point next_try_;
};

}  // namespace orb8
