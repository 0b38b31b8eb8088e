// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/owners_pool.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace orb8 {

std::size_t OwnersPool::Hash::operator()(const FlowOwnersRef& owners) const noexcept {
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15;  // spreads neighbours over all bits
  std::size_t h = std::hash<OwnerRef>()(owners->local);
  for (const auto* side :
       {&owners->src, &owners->dst, &owners->src_service, &owners->dst_service}) {
    h = (h ^ std::hash<EndpointRef>()(*side)) * kOdd;
  }
  return h ^ h >> 32U;
}

FlowOwnersRef OwnersPool::share(FlowOwners owners) {
  if (pool_.size() >= sweep_at_) {
    std::erase_if(pool_, [](const FlowOwnersRef& one) { return !one.is_shared(); });
    sweep_at_ = std::max(kFew, 2 * pool_.size());
  }
  return *pool_.emplace(std::move(owners)).first;
}

}  // namespace orb8
