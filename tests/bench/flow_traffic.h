// Many flows that stay alive: one small UDP datagram after the other, from made-up senders.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "tests/bench/network_pair.h"

namespace orb8::bench {

class FlowTraffic {
 public:
  // Datagrams are evenly spaced; each flow gets its turn before any gets a second one. The first
  // UdpFlood::kFlows flows are those of the flood, so that a flood makes no new ones. Nobody
  // answers: the frames are for a third host that is not there.
  static Result<std::unique_ptr<FlowTraffic>> start(const NetworkPair& pair, std::uint32_t flows,
                                                    std::uint32_t packets_per_second);
  virtual ~FlowTraffic() = default;  // stops

  // Why it came to an end by itself, if it did.
  virtual Result<void> check() const = 0;
};

}  // namespace orb8::bench
