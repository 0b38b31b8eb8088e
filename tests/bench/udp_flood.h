// UDP as fast as the machine can: one sending thread for each CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "tests/bench/frames.h"
#include "tests/bench/network_pair.h"

namespace orb8::bench {

class UdpFlood {
 public:
  static constexpr std::uint32_t kFlows = 32;  // over all threads
  // Of each datagram of a segmented flood, from the link layer header on.
  static constexpr std::uint64_t kSegmentFrameBytes = 1400 + 14 + 20 + 8;

  // The addresses of one of the flows.
  static UdpEnds ends(std::uint32_t flow);

  // `segments`: datagrams that the kernel gets as one (UDP_SEGMENT); 1 switches that off.
  static Result<std::unique_ptr<UdpFlood>> start(const NetworkPair& pair, unsigned segments);
  virtual ~UdpFlood() = default;  // stops

  // How many datagrams were handed to the kernel. The threads have ended.
  virtual std::uint64_t stop() = 0;
};

// Where a flood ends: a socket that nobody reads, so that there is no answer. Opened by a thread
// that is at the watched host.
Result<UniqueFd> open_sink();

}  // namespace orb8::bench
