// Flows between the same two have one FlowOwners.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <unordered_set>

#include "core/model/flow.h"

namespace orb8 {

// For one thread. Holds as many as there are in use, and up to as many again that are not any more.
class OwnersPool {
 public:
  FlowOwnersRef share(FlowOwners owners);
  std::size_t size() const noexcept { return pool_.size(); }

 private:
  // Owners and endpoints are shared themselves: the same pointers are the same names.
  struct Hash {
    std::size_t operator()(const FlowOwnersRef& owners) const noexcept;
  };
  struct Same {
    bool operator()(const FlowOwnersRef& a, const FlowOwnersRef& b) const { return *a == *b; }
  };
  static constexpr std::size_t kFew = 1024;

  std::unordered_set<FlowOwnersRef, Hash, Same> pool_;
  std::size_t sweep_at_ = kFew;
};

}  // namespace orb8
