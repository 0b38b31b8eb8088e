// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/flow_families.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/metrics/registry.h"

namespace orb8 {
namespace {

constexpr double kSecondsPerMicrosecond = 1e-6;

std::size_t other_place(Direction direction, MeterProtocol protocol) {
  return std::to_underlying(protocol) * std::size_t{2} + std::to_underlying(direction);
}

LabelSet other_at(std::size_t place, const OwnLabels& own) {
  return other_label_set(static_cast<Direction>(place % 2), static_cast<MeterProtocol>(place / 2),
                         own);
}

class Families {
 public:
  Families(const MeterSnapshot& rows, const OwnLabels& own, const TakeFamilyFn& take)
      : rows_(rows), own_(own), take_(take) {}

  // `add` makes the samples of one row.
  using AddFn = std::function<void(const MeterRow&, MetricFamily&)>;
  void tell(MetricId id, MeterPart part, const AddFn& add) const {
    MetricFamily family{.info = metric(id), .samples = {}};
    rows_.for_each([&](const MeterRow& row) {
      if ((row.parts & part) != 0) add(row, family);
    });
    if (!family.samples.empty()) take_(family);
  }

  void counter(MetricId id, MeterPart part, std::uint64_t MeterCounters::* field) const {
    tell(id, part, [&](const MeterRow& row, MetricFamily& family) {
      family.add(labels_of(row), row.counters.*field, row.start_ns);
    });
  }

  std::vector<MetricLabel> labels_of(const MeterRow& row) const {
    return to_labels(*row.labels, own_);
  }

 private:
  const MeterSnapshot& rows_;
  const OwnLabels& own_;
  const TakeFamilyFn& take_;
};

void add_outcomes(const Families& families, const MeterRow& row, MetricFamily& family) {
  for (const auto outcome : {Outcome::kEstablished, Outcome::kFailed, Outcome::kReset}) {
    auto labels = families.labels_of(row);
    labels.push_back({"outcome", std::string(to_string(outcome))});
    family.add(std::move(labels), row.counters.connections.at(std::to_underlying(outcome)),
               row.start_ns);
  }
}

HistogramValue rtt_of(const MeterRow& row) {
  const auto& counters = row.counters;
  return {.bounds = rtt_bounds(),
          .counts = {counters.rtt.begin(), counters.rtt.end()},
          .sum = static_cast<double>(counters.rtt_sum_us) * kSecondsPerMicrosecond};
}

// Flows without a row of their labels, as they were named after they last moved, are shown under
// them where there is room, and else in `other`.
void tell_active(const MeterSnapshot& rows, ActiveFlows& active, const OwnLabels& own,
                 std::size_t max_series, const TakeFamilyFn& take) {
  MetricFamily family{.info = metric(MetricId::kActiveFlows), .samples = {}};
  std::unordered_map<LabelSet, std::size_t> others;
  for (std::size_t i = 0; i < ActiveFlows::Others{}.size(); ++i) others[other_at(i, own)] = i;
  std::array<bool, ActiveFlows::Others{}.size()> shown = {};
  std::size_t series = 0;
  rows.for_each([&](const MeterRow& row) {
    if (const auto found = others.find(*row.labels); found != others.end()) {
      shown.at(found->second) = true;
      return;
    }
    series += series_of(row.parts);
    family.add(to_labels(*row.labels, own), active.take(*row.labels), 0);
  });
  const auto left = active.take_left(max_series - std::min(series, max_series));
  for (const auto& [labels, flows] : left.sets) family.add(to_labels(labels, own), flows, 0);
  for (const auto& [labels, place] : others) {
    if (left.others.at(place) == 0 && !shown.at(place)) continue;
    family.add(to_labels(labels, own), left.others.at(place), 0);
  }
  if (!family.samples.empty()) take(family);
}

}  // namespace

void ActiveFlows::add(const Flow& flow) {
  const auto direction = flow.key.direction;
  if (const auto* place = cache_.find(flow, direction)) {
    ++counts_[place->slot].flows;
    return;
  }
  const auto next = static_cast<std::uint32_t>(counts_.size());
  const auto [found, fresh] = index_.emplace(label_set(flow, direction, own_), next);
  if (fresh) {
    counts_.push_back({.other = other_place(direction, meter_protocol(flow.key.protocol))});
  }
  cache_.put(flow, direction, {.slot = found->second});
  ++counts_[found->second].flows;
}

std::uint64_t ActiveFlows::take(const LabelSet& labels) {
  const auto found = index_.find(labels);
  return found == index_.end() ? 0 : std::exchange(counts_[found->second].flows, 0);
}

ActiveFlows::Left ActiveFlows::take_left(std::size_t most) {
  Left left;
  for (const auto& [labels, at] : index_) {
    const auto flows = std::exchange(counts_[at].flows, 0);
    if (flows == 0) continue;
    if (left.sets.size() < most) {
      left.sets.emplace_back(labels, flows);
    } else {
      left.others.at(counts_[at].other) += flows;
    }
  }
  return left;
}

void collect_flow_metrics(const MeterSnapshot& rows, ActiveFlows* active, const OwnLabels& own,
                          std::size_t max_series, const TakeFamilyFn& take) {
  const Families families(rows, own, take);
  families.counter(MetricId::kNetworkBytes, kPartTraffic, &MeterCounters::bytes);
  families.counter(MetricId::kNetworkPackets, kPartTraffic, &MeterCounters::packets);
  families.tell(MetricId::kNetworkConnections, kPartConnections,
                [&](const MeterRow& row, auto& family) { add_outcomes(families, row, family); });
  families.counter(MetricId::kTcpRetransmits, kPartRetransmits, &MeterCounters::retransmits);
  families.tell(MetricId::kTcpRtt, kPartRtt, [&](const MeterRow& row, auto& family) {
    family.add(families.labels_of(row), rtt_of(row), row.start_ns);
  });
  if (active != nullptr) tell_active(rows, *active, own, max_series, take);
}

}  // namespace orb8
