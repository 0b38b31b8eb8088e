// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_index.h"

#include <utility>

namespace orb8 {
namespace {

constexpr std::size_t kSmallest = 256;

bool same_ends(const FlowKey& a, const FlowKey& b) {
  return a.src_port == b.src_port && a.dst_port == b.dst_port && a.protocol == b.protocol &&
         a.src == b.src && a.dst == b.dst;
}

}  // namespace

FlowIndex::FlowIndex(KeyOfFn key_of) : key_of_(std::move(key_of)), cells_(kSmallest) {}

std::uint32_t FlowIndex::hash_of(const FlowKey& key) noexcept {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // spreads neighbours over the upper bits
  const auto which = (key.socket << 1U | static_cast<std::uint64_t>(key.direction)) * kOdd;
  return (static_cast<std::uint32_t>(hash_of_ends(key)) & kEnds) |
         (static_cast<std::uint32_t>(which >> 32U) & ~kEnds);
}

std::uint32_t FlowIndex::find(const FlowKey& key, std::uint32_t hash) const {
  for (std::size_t at = home(hash); cells_[at].slot != kNone; at = next(at)) {
    if (cells_[at].hash == hash && key_of_(cells_[at].slot) == key) return cells_[at].slot;
  }
  return kNone;
}

void FlowIndex::for_each_between(const FlowKey& key,
                                 const std::function<void(std::uint32_t slot)>& visit) const {
  const auto hash = hash_of(key);
  for (std::size_t at = home(hash); cells_[at].slot != kNone; at = next(at)) {
    if (((cells_[at].hash ^ hash) & kEnds) != 0) continue;
    if (same_ends(key_of_(cells_[at].slot), key)) visit(cells_[at].slot);
  }
}

void FlowIndex::put(const Cell& cell) {
  std::size_t at = home(cell.hash);
  while (cells_[at].slot != kNone) at = next(at);
  cells_[at] = cell;
}

void FlowIndex::insert(std::uint32_t hash, std::uint32_t slot) {
  if (5 * (size_ + 1) > 4 * cells_.size()) resize(2 * cells_.size());
  put({.slot = slot, .hash = hash});
  ++size_;
}

void FlowIndex::erase(std::uint32_t hash, std::uint32_t slot) {
  std::size_t hole = home(hash);
  while (cells_[hole].slot != slot) {
    if (cells_[hole].slot == kNone) return;
    hole = next(hole);
  }
  const std::size_t mask = cells_.size() - 1;
  for (std::size_t at = next(hole); cells_[at].slot != kNone; at = next(at)) {
    // What would be found from the hole as well moves there, and leaves the hole where it was.
    if (((at - home(cells_[at].hash)) & mask) >= ((at - hole) & mask)) {
      cells_[hole] = cells_[at];
      hole = at;
    }
  }
  cells_[hole] = {};
  --size_;
  if (cells_.size() > kSmallest && 8 * size_ < cells_.size()) resize(cells_.size() / 2);
}

void FlowIndex::resize(std::size_t cells) {
  for (const auto& cell : std::exchange(cells_, std::vector<Cell>(cells))) {
    if (cell.slot != kNone) put(cell);
  }
}

}  // namespace orb8
