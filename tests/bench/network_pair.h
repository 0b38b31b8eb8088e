// Two hosts on a wire: network namespaces of their own, joined by a veth pair. One sends, the other
// is watched.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "tests/bench/frames.h"

namespace orb8::bench {

// What /proc/net/dev says of one interface since it was made.
struct InterfaceCounters {
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_dropped = 0;
};

// The namespaces have no names: they go with the process, however it ends.
class NetworkPair {
 public:
  static constexpr auto kSender = "orb8s";
  static constexpr auto kWatched = "orb8w";
  static constexpr std::uint32_t kSenderIp = 0x0a4d0001;  // 10.77.0.1
  static constexpr std::uint32_t kWatchedIp = 0x0a4d0002;
  static constexpr Mac kSenderMac = {0x02, 0x77, 0, 0, 0, 1};

  // Nothing is on the wire by itself: no IPv6, no ARP.
  static Result<NetworkPair> make();

  // The calling thread moves to the watched host for good, with the threads it will start.
  Result<void> enter_watched() const;

  // Runs `work` on a thread that is at the sender, and waits for it.
  Result<void> at_sender(const std::function<Result<void>()>& work) const;

  Result<InterfaceCounters> sender_counters() const;
  Result<InterfaceCounters> watched_counters() const;

 private:
  NetworkPair(UniqueFd sender, UniqueFd watched) noexcept
      : sender_(std::move(sender)), watched_(std::move(watched)) {}

  UniqueFd sender_;
  UniqueFd watched_;
};

}  // namespace orb8::bench
