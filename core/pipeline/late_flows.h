// Flows with a side that nobody has a name for yet: a pod may be told of after its first packet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "core/model/flow.h"

namespace orb8 {

// For one thread. They are kept for a few seconds, since most of them are with addresses outside of
// the cluster and will never have a name; of too many the oldest go first.
class LateFlows {
 public:
  static constexpr std::int64_t kPatienceNs = 5'000'000'000;

  explicit LateFlows(std::size_t most = 16'384) : most_(most) {}

  void add(const FlowKey& key, std::int64_t now_ns);

  // Shows each flow whose time is not over; it stays if `still_nameless`. `now_ns`: of a clock that
  // never goes back, as is add()'s.
  void retry(std::int64_t now_ns, const std::function<bool(const FlowKey&)>& still_nameless);
  void expire(std::int64_t now_ns);

  std::size_t size() const noexcept { return flows_.size(); }

 private:
  struct Late {
    FlowKey key;
    std::int64_t until_ns = 0;
  };
  std::size_t most_;
  std::deque<Late> flows_;  // oldest in front
};

}  // namespace orb8
