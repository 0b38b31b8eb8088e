// Where flows come from. One class per signal turns kernel state into records; nothing behind this
// interface knows which one it is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/model/event.h"
#include "core/model/flow.h"
#include "core/model/packet_filter.h"
#include "core/model/status.h"

namespace orb8 {

// Called on the pipeline's thread only.
class FlowSource {
 public:
  using RecordFn = std::function<void(const FlowRecord&)>;
  using PacketFn = std::function<void(const Event&)>;

  FlowSource() = default;
  FlowSource(const FlowSource&) = delete;
  FlowSource& operator=(const FlowSource&) = delete;
  virtual ~FlowSource() = default;

  // One snapshot: a record for each flow that the kernel holds and that moved since the last one.
  virtual Result<void> collect(const RecordFn& record) = 0;

  // Takes these flows' entries out of the kernel: idle, closed or evicted ones. What moved since
  // the last snapshot comes out as one last record each.
  virtual void forget(std::span<const FlowKey> keys, const RecordFn& record) = 0;

  // What the packet listeners want, one entry per conjunction; empty switches packet events off.
  // More entries than the kernel evaluates widen to "all": the caller filters again.
  virtual Result<void> want_packets(std::span<const PacketFilter> filters) = 0;

  // Descriptors that become readable (poll them edge-triggered) when handle_ready() has work:
  // packet events, spilled flows, interfaces that come and go.
  virtual std::vector<int> wait_fds() const = 0;

  // Drains what is ready. At most `max_events` packets per call; true when more is waiting.
  virtual bool handle_ready(std::size_t max_events, const RecordFn& record,
                            const PacketFn& packet) = 0;

  virtual SourceStatus status() const = 0;
};

}  // namespace orb8
