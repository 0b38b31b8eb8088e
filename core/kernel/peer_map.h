// The kernel's counters of UDP sockets with several peers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/socket.h"
#include "core/base/result.h"
#include "core/kernel/map_fill.h"

namespace orb8 {

// Reads the map orb8_peers, whose descriptor it borrows.
class PeerMap {
 public:
  using VisitFn = std::function<void(const orb8_peer_key&, const orb8_peer&)>;

  explicit PeerMap(int fd) : fd_(fd) {}

  // Every entry once; entries that come or go meanwhile may be missed.
  Result<void> for_each(const VisitFn& visit);
  // As for_each() found it last.
  Fill fill() const { return fill_of_map(fd_, entries_); }
  // Removes the entry and gives its last state; false where there is none.
  bool take(const orb8_peer_key& key, orb8_peer& peer);

 private:
  int fd_;
  std::uint64_t entries_ = 0;
  bool take_in_one_call_ = true;  // Linux 5.14 on
  std::vector<orb8_peer_key> keys_;
  std::vector<orb8_peer> peers_;
};

}  // namespace orb8
