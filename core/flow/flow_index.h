// From a flow's key to its slot: eight bytes a flow, where a node-based map costs a hundred.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/model/flow.h"

namespace orb8 {

// Open addressing with linear probing; removal shifts back what follows, so there are no tombstones
// and a table that churns for weeks stays as fast as a new one. The keys live with the rows, a
// cache miss each: a cell has the key's hash as well, and `key_of` reads the one that is found.
//
// The hash is of a flow's ends, so that both sockets of a connection inside this machine are found
// together; only its upper bits tell them apart.
class FlowIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  using KeyOfFn = std::function<const FlowKey&(std::uint32_t slot)>;

  explicit FlowIndex(KeyOfFn key_of);

  // To be asked for once, for several of the calls below with the same key.
  static std::uint32_t hash_of(const FlowKey& key) noexcept;

  // The slot, or kNone.
  std::uint32_t find(const FlowKey& key, std::uint32_t hash) const;
  std::uint32_t find(const FlowKey& key) const { return find(key, hash_of(key)); }
  // The flows with the same ends and protocol, of all sockets and both directions.
  void for_each_between(const FlowKey& key,
                        const std::function<void(std::uint32_t slot)>& visit) const;

  // The slot must not be there yet.
  void insert(std::uint32_t hash, std::uint32_t slot);
  void erase(std::uint32_t hash, std::uint32_t slot);

  std::size_t size() const noexcept { return size_; }

 private:
  // Enough to spread ten million flows.
  static constexpr std::uint32_t kEnds = 0xffffff;

  struct Cell {
    std::uint32_t slot = kNone;
    std::uint32_t hash = 0;
  };
  std::size_t next(std::size_t cell) const { return (cell + 1) & (cells_.size() - 1); }
  std::size_t home(std::uint32_t hash) const { return hash & kEnds & (cells_.size() - 1); }
  void put(const Cell& cell);
  void resize(std::size_t cells);

  KeyOfFn key_of_;
  std::vector<Cell> cells_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace orb8
