// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_pick.h"

#include <algorithm>
#include <tuple>

namespace orb8 {
namespace {

std::uint64_t rank(const Flow& flow, FlowSort sort) {
  switch (sort) {
    case FlowSort::kPackets:
      return flow.packets;
    case FlowSort::kLastSeen:
      return static_cast<std::uint64_t>(std::max<std::int64_t>(flow.last_seen_ns, 0));
    case FlowSort::kBytes:
      break;
  }
  return flow.bytes;
}

auto key_order(const FlowKey& key) {
  return std::tie(key.src, key.dst, key.src_port, key.dst_port, key.protocol, key.direction);
}

}  // namespace

FlowPick pick_flows(const FlowSnapshot& snapshot, const FlowFilter& filter, FlowSort sort,
                    std::size_t limit) {
  const auto before = [sort](const Flow* a, const Flow* b) {
    const auto rank_a = rank(*a, sort);
    const auto rank_b = rank(*b, sort);
    return rank_a != rank_b ? rank_a > rank_b : key_order(a->key) < key_order(b->key);
  };
  FlowPick pick;
  std::vector<const Flow*> best;  // a heap with the last of the best on top
  snapshot.for_each([&](const Flow& flow) {
    if (!filter.matches(flow.key, flow.owners)) return;
    ++pick.matched;
    if (best.size() < limit) {
      best.push_back(&flow);
      std::ranges::push_heap(best, before);
    } else if (limit > 0 && before(&flow, best.front())) {
      std::ranges::pop_heap(best, before);
      best.back() = &flow;
      std::ranges::push_heap(best, before);
    }
  });
  std::ranges::sort_heap(best, before);
  pick.flows.reserve(best.size());
  for (const auto* flow : best) pick.flows.push_back(*flow);
  return pick;
}

}  // namespace orb8
