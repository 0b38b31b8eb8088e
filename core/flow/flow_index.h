// From a flow's key to its slot: four bytes a flow, where a node-based map costs a hundred.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/model/flow.h"

namespace orb8 {

// Open addressing with linear probing; removal shifts back what follows, so there are no tombstones
// and a table that churns for weeks stays as fast as a new one. The keys live with the rows:
// `key_of` reads them.
class FlowIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  using KeyOfFn = std::function<const FlowKey&(std::uint32_t slot)>;

  explicit FlowIndex(KeyOfFn key_of);

  // The slot, or kNone.
  std::uint32_t find(const FlowKey& key) const;
  // The key must not be there yet.
  void insert(const FlowKey& key, std::uint32_t slot);
  // Must come before the slot's row changes its key.
  void erase(const FlowKey& key);

  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t home(const FlowKey& key) const { return FlowKeyHash{}(key) & (cells_.size() - 1); }
  std::size_t cell_of(const FlowKey& key) const;
  void resize(std::size_t cells);

  KeyOfFn key_of_;
  std::vector<std::uint32_t> cells_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace orb8
