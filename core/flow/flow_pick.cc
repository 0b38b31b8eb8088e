// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_pick.h"

#include <algorithm>
#include <tuple>

#include "core/flow/flow_collapse.h"

namespace orb8 {
namespace {

std::uint64_t rank(const Flow& flow, FlowSort sort) {
  switch (sort) {
    case FlowSort::kPackets:
      return flow.packets;
    case FlowSort::kLastSeen:
      return static_cast<std::uint64_t>(std::max<std::int64_t>(flow.last_seen_ns, 0));
    case FlowSort::kRtt:
      return flow.socket.rtt_us;
    case FlowSort::kRetransmits:
      return flow.socket.retransmits;
    case FlowSort::kBytes:
      break;
  }
  return flow.bytes;
}

auto key_order(const FlowKey& key) {
  return std::tie(key.src, key.dst, key.src_port, key.dst_port, key.protocol, key.direction,
                  key.socket);
}

struct Before {
  FlowOrder order;
  bool operator()(const Flow* a, const Flow* b) const {
    const auto rank_a = rank(*a, order.sort);
    const auto rank_b = rank(*b, order.sort);
    if (rank_a != rank_b) return order.smallest_first ? rank_a < rank_b : rank_a > rank_b;
    if (a->key != b->key) return key_order(a->key) < key_order(b->key);
    return a->first_seen_ns < b->first_seen_ns;  // it ended, and came back
  }
};

// Keeps the first of all flows that it is shown.
class Picker {
 public:
  Picker(FlowOrder order, std::size_t limit) : order_(order), limit_(limit) {}

  // `flow` outlives the picker.
  void add(const Flow& flow) {
    ++matched_;
    const Before before{order_};
    if (best_.size() < limit_) {
      best_.push_back(&flow);
      std::ranges::push_heap(best_, before);
    } else if (limit_ > 0 && before(&flow, best_.front())) {
      std::ranges::pop_heap(best_, before);
      best_.back() = &flow;
      std::ranges::push_heap(best_, before);
    }
  }

  FlowPick take() {
    std::ranges::sort_heap(best_, Before{order_});
    FlowPick pick;
    pick.matched = matched_;
    pick.flows.reserve(best_.size());
    for (const auto* flow : best_) pick.flows.push_back(*flow);
    return pick;
  }

 private:
  FlowOrder order_;
  std::size_t limit_;
  std::size_t matched_ = 0;
  std::vector<const Flow*> best_;  // a heap with the last of the best on top
};

}  // namespace

FlowPick pick_flows(const FlowSet& flows, const FlowMatcher& matcher, FlowOrder order,
                    std::size_t limit) {
  Picker picker(order, limit);
  flows.for_each([&](const Flow& flow) {
    if (matcher.matches(flow)) picker.add(flow);
  });
  return picker.take();
}

FlowPick pick_collapsed(const FlowSet& flows, const FlowMatcher& matcher, FlowOrder order,
                        std::size_t limit) {
  const auto sums = collapse_client_ports(flows, matcher);
  Picker picker(order, limit);
  for (const auto& flow : sums) picker.add(flow);
  return picker.take();
}

}  // namespace orb8
