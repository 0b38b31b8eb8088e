// Which row the flows of the same two count in, without spelling out their labels each time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/metrics/flow_labels.h"

namespace orb8 {

// For one thread. Owners are known by their address, and held so that it stays theirs: clear() it
// now and then, so that nobody is held for long. At the most it fills 4 MiB.
class OwnersCache {
 public:
  struct Place {
    std::uint32_t slot = 0;
    std::uint32_t serial = 0;  // of what was there then
  };

  // Null: not known. Valid until the next call.
  const Place* find(const Flow& flow, Direction direction) const noexcept;
  void put(const Flow& flow, Direction direction, Place place);
  void clear();
  std::size_t size() const noexcept { return used_; }

 private:
  struct Entry {
    std::uint64_t id = 0;  // 0: free
    Place place;
    FlowOwnersRef owners;
  };
  static constexpr std::size_t kFirst = 256;
  static constexpr std::size_t kMost = 131'072;  // half of them used

  static std::uint64_t id_of(const Flow& flow, Direction direction) noexcept;
  std::size_t first_of(std::uint64_t id) const noexcept;
  void grow();

  std::vector<Entry> entries_;  // a power of two of them
  std::size_t used_ = 0;
};

}  // namespace orb8
