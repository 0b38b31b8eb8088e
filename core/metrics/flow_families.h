// The flow metrics as families: from the meter's rows, and from the flows that there are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/metrics/meter_rows.h"
#include "core/metrics/owners_cache.h"

namespace orb8 {

// How many flows there are of each set of labels. Counted by whoever collects, from a snapshot of
// the table: a gauge that the meter kept itself would have to follow each change of a flow's name.
class ActiveFlows {
 public:
  explicit ActiveFlows(const OwnLabels& own) : own_(own) {}

  void add(const Flow& flow);

  // How many have these labels, once: what was not asked for is left.
  std::uint64_t take(const LabelSet& labels);
  // Of what is left, the sets of labels with any flows, `most` of them; and all others' flows.
  using Others = std::array<std::uint64_t, 2 * kMeterProtocols>;  // by protocol, then direction
  struct Left {
    std::vector<std::pair<LabelSet, std::uint64_t>> sets;
    Others others = {};
  };
  Left take_left(std::size_t most);

 private:
  struct Count {
    std::uint64_t flows = 0;
    std::size_t other = 0;  // its place among Others
  };
  const OwnLabels& own_;
  OwnersCache cache_;
  std::vector<Count> counts_;
  std::unordered_map<LabelSet, std::uint32_t> index_;
};

// Gives each flow metric to `take`, in the registry's order: `max_series` series at most, beside
// `other`. `active` null: it is not known how many flows there are, which is not told as 0.
void collect_flow_metrics(const MeterSnapshot& rows, ActiveFlows* active, const OwnLabels& own,
                          std::size_t max_series, const TakeFamilyFn& take);

}  // namespace orb8
