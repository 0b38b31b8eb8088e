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
#include "core/source/living_sockets.h"

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

  // After a collect() that succeeded and looked at all sockets, as the end of one was lost before
  // or may have been: the cookies of those that are open, each of them, so that the others' flows
  // can be closed once all that is ready was taken in. Null otherwise.
  virtual const LivingSockets* living_sockets() const { return nullptr; }

  // Flows that the table has no row for any more: idle, closed or evicted; `told` is what it had
  // heard of them. Takes their entries out of the kernel; what moved since the last snapshot comes
  // out as one last record each. An entry that cannot be taken out (a socket's) goes on from
  // `told`, as a new incarnation, when it moves again.
  virtual void forget(std::span<const ToldFlow> flows, const RecordFn& record) = 0;

  // What the packet listeners want, one entry per conjunction; empty switches packet events off.
  // More entries than the kernel evaluates widen to "all": the caller filters again.
  virtual Result<void> want_packets(std::span<const PacketFilter> filters) = 0;

  // The agent's own port, whose traffic is left out; 0: none.
  virtual void leave_out_port(std::uint16_t port) = 0;

  // Descriptors that become readable when handle_ready() has work; poll them edge-triggered.
  struct WaitFd {
    int fd = -1;
    // A ring: its first record may wait for more (up to the poll interval), a second wake-up means
    // that it fills. Otherwise (an interface came or went) there is no time to lose.
    bool may_wait = false;
  };
  virtual std::vector<WaitFd> wait_fds() const = 0;

  // Drains what is ready, at most `most` records and packets a call; how many that were: `most`
  // means that more may be waiting.
  virtual std::size_t handle_ready(std::size_t most, const RecordFn& record,
                                   const PacketFn& packet) = 0;

  virtual SourceStatus status() const = 0;
};

}  // namespace orb8
