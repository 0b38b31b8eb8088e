// Adds up what a source says, by the contract of FlowRecord alone: the test's own second opinion
// beside the flow table.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "core/model/flow.h"
#include "tests/netns/totals.h"

namespace orb8::netns {

class Ledger {
 public:
  struct Line {
    Totals totals;
    std::uint8_t tcp_flags = 0;
    std::uint32_t ifindex = 0;
    std::uint64_t cgroup_id = 0;
    std::uint64_t incarnation = 0;  // of the last cumulative record
    Totals seen;                    // that one's counters
    std::size_t incarnations = 0;
  };
  using Pick = std::function<bool(const FlowKey&)>;

  void add(const FlowRecord& record);

  Totals total() const;
  Totals of(const FlowKey& key) const;
  Totals where(const Pick& pick) const;
  const Line* line(const FlowKey& key) const;
  std::vector<FlowKey> keys() const;
  std::size_t size() const { return lines_.size(); }
  // A counter that went backwards, or a record whose time is not a time of day.
  std::size_t nonsense() const { return nonsense_; }

 private:
  std::unordered_map<FlowKey, Line, FlowKeyHash> lines_;
  std::size_t nonsense_ = 0;
};

}  // namespace orb8::netns
