// Both sockets of the connections inside this machine, so that each end learns exactly who the
// other is: an address of the machine may be any process's, or any pod's on the host's network.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "core/model/flow.h"

namespace orb8 {

// For one thread. As many entries as there are flows added and not removed, at most.
class SocketPairs {
 public:
  struct End {
    OwnerRef owner;
    std::uint64_t socket = 0;
  };

  // A flow that a socket in the namespace `netns` has. Returns the socket at its other end, if that
  // was added before. Loopback addresses meet within a namespace, others from any to any.
  std::optional<End> add(const FlowKey& key, std::uint32_t netns, OwnerRef owner);
  void remove(const FlowKey& key, std::uint32_t netns);

  std::size_t size() const noexcept { return ends_.size(); }

 private:
  std::unordered_map<FlowKey, End, FlowKeyHash> ends_;
};

}  // namespace orb8
