// The kernel's flow entries: read in batches, taken out one by one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/network.h"
#include "core/base/result.h"
#include "core/model/flow.h"
#include "core/model/status.h"

namespace orb8 {

// Reads the maps orb8_flows_v4 and orb8_flows_v6, whose descriptors it borrows.
class FlowMaps {
 public:
  // The key's direction is the entry's.
  using VisitFn = std::function<void(const FlowKey&, const orb8_flow_stats&)>;

  FlowMaps(int flows_v4_fd, int flows_v6_fd);

  // Every entry once; entries that come or go meanwhile may be missed. kInternal: the kernel
  // refused the batch read.
  Result<void> for_each(const VisitFn& visit);

  // Both, as for_each() found them last.
  std::array<Fill, 2> fill() const;

  // Removes the key's entry and returns its last state; nothing when there is none. Meant for what
  // stands still: a packet that a probe is adding to this entry at that very moment, which takes
  // some 20 ns, is counted in the tally and in no record.
  std::optional<orb8_flow_stats> take(const FlowKey& key);

 private:
  template <class Key>
  Result<std::uint64_t> read_all(int map_fd, const VisitFn& visit);
  template <class Key>
  std::optional<orb8_flow_stats> take_from(int map_fd, const Key& key);

  int flows_v4_fd_;
  int flows_v6_fd_;
  std::uint64_t entries_v4_ = 0;
  std::uint64_t entries_v6_ = 0;
  bool take_in_one_call_ = true;  // Linux 5.14 on: BPF_MAP_LOOKUP_AND_DELETE_ELEM for hash maps
  std::vector<std::byte> keys_;
  std::vector<orb8_flow_stats> values_;
};

// Both forms of a kernel key, as a FlowKey.
FlowKey to_flow_key(const orb8_v4_key& key, Direction direction);
FlowKey to_flow_key(const orb8_v6_key& key, Direction direction);

// The union of what the racy byte and the exact array say.
std::uint8_t tcp_flags_of(const orb8_flow_stats& stats);

}  // namespace orb8
