// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/owners_cache.h"

#include <bit>
#include <utility>

namespace orb8 {

// Addresses have 48 bits here, and owners are never at 0.
std::uint64_t OwnersCache::id_of(const Flow& flow, Direction direction) noexcept {
  const auto variant = static_cast<std::uint64_t>(meter_protocol(flow.key.protocol)) << 2U |
                       static_cast<std::uint64_t>(flow.key.direction) << 1U |
                       static_cast<std::uint64_t>(direction);
  return std::bit_cast<std::uintptr_t>(&*flow.owners) << 8U | variant;
}

std::size_t OwnersCache::first_of(std::uint64_t id) const noexcept {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // spreads neighbours over all bits
  return (id * kOdd >> 32U) & (entries_.size() - 1);
}

const OwnersCache::Place* OwnersCache::find(const Flow& flow, Direction direction) const noexcept {
  if (entries_.empty()) return nullptr;
  const auto id = id_of(flow, direction);
  for (auto at = first_of(id); entries_[at].id != 0; at = (at + 1) & (entries_.size() - 1)) {
    if (entries_[at].id == id) return &entries_[at].place;
  }
  return nullptr;
}

void OwnersCache::put(const Flow& flow, Direction direction, Place place) {
  if (2 * used_ >= entries_.size()) grow();
  const auto id = id_of(flow, direction);
  auto at = first_of(id);
  while (entries_[at].id != 0 && entries_[at].id != id) at = (at + 1) & (entries_.size() - 1);
  if (entries_[at].id == 0) ++used_;
  entries_[at] = {.id = id, .place = place, .owners = flow.owners};
}

void OwnersCache::grow() {
  if (entries_.size() == kMost) return clear();
  std::vector<Entry> old(entries_.empty() ? kFirst : 2 * entries_.size());
  old.swap(entries_);
  for (auto& entry : old) {
    if (entry.id == 0) continue;
    auto at = first_of(entry.id);
    while (entries_[at].id != 0) at = (at + 1) & (entries_.size() - 1);
    entries_[at] = std::move(entry);
  }
}

void OwnersCache::clear() {
  // With room for as many as there were, unless that was a burst's.
  const auto room = used_ * 4 < entries_.size() ? entries_.size() / 2 : entries_.size();
  entries_.clear();
  entries_.resize(room < kFirst ? 0 : room);
  used_ = 0;
  entries_.shrink_to_fit();
}

}  // namespace orb8
