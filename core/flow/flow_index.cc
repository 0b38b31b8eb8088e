// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_index.h"

#include <utility>

namespace orb8 {
namespace {

constexpr std::size_t kSmallest = 256;

}  // namespace

FlowIndex::FlowIndex(KeyOfFn key_of) : key_of_(std::move(key_of)), cells_(kSmallest, kNone) {}

// The key's cell, or the free one where it would go.
std::size_t FlowIndex::cell_of(const FlowKey& key) const {
  std::size_t cell = home(key);
  while (cells_[cell] != kNone && !(key_of_(cells_[cell]) == key)) {
    cell = (cell + 1) & (cells_.size() - 1);
  }
  return cell;
}

std::uint32_t FlowIndex::find(const FlowKey& key) const {
  return cells_[cell_of(key)];
}

void FlowIndex::insert(const FlowKey& key, std::uint32_t slot) {
  if (4 * (size_ + 1) > 3 * cells_.size()) resize(2 * cells_.size());
  cells_[cell_of(key)] = slot;
  ++size_;
}

void FlowIndex::erase(const FlowKey& key) {
  std::size_t hole = cell_of(key);
  if (cells_[hole] == kNone) return;
  const std::size_t mask = cells_.size() - 1;
  for (std::size_t next = (hole + 1) & mask; cells_[next] != kNone; next = (next + 1) & mask) {
    // What would be found from the hole as well moves there, and leaves the hole where it was.
    const std::size_t wants = home(key_of_(cells_[next]));
    if (((next - wants) & mask) >= ((next - hole) & mask)) {
      cells_[hole] = cells_[next];
      hole = next;
    }
  }
  cells_[hole] = kNone;
  --size_;
  if (cells_.size() > kSmallest && 8 * size_ < cells_.size()) resize(cells_.size() / 2);
}

void FlowIndex::resize(std::size_t cells) {
  const auto old = std::exchange(cells_, std::vector<std::uint32_t>(cells, kNone));
  for (const auto slot : old) {
    if (slot != kNone) cells_[cell_of(key_of_(slot))] = slot;
  }
}

}  // namespace orb8
