// What a question is asked of: the flows alive and those that have ended, of one moment.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "core/flow/flow_history.h"
#include "core/flow/flow_table.h"

namespace orb8 {

// Each flow is in one of both, once.
struct FlowView {
  std::shared_ptr<const FlowSnapshot> live;
  std::shared_ptr<const HistorySnapshot> history;  // null: nobody asked for it
  std::int64_t taken_ns = 0;                       // Unix epoch; FlowHistory::moment()
  std::uint64_t events_before = 0;                 // Event::number of the last that it knows of
};

// Which of them are meant by their times, each in nanoseconds of the Unix epoch. 0: any.
struct FlowPeriod {
  std::int64_t since_ns = 0;        // last seen then or later
  std::int64_t until_ns = 0;        // first seen then or before
  std::int64_t ended_since_ns = 0;  // of those that have ended: then or later

  // Flows that are alive need no history.
  bool asks_for_history() const { return since_ns != 0 || until_ns != 0 || ended_since_ns != 0; }
  bool holds(const Flow& flow) const {
    return flow.last_seen_ns >= since_ns && (until_ns == 0 || flow.first_seen_ns <= until_ns);
  }
};

// The flows of a snapshot, of a view's period, or of a saved trace. What it is made of outlives it.
class FlowSet {
 public:
  FlowSet(const FlowSnapshot& live) : live_(&live) {}  // NOLINT(google-explicit-constructor)
  FlowSet(std::span<const Flow> saved, FlowPeriod period) : saved_(saved), period_(period) {}
  FlowSet(const FlowView& view, FlowPeriod period)
      : live_(view.live.get()), history_(view.history.get()), period_(period) {}

  void for_each(const std::function<void(const Flow&)>& visit) const;

 private:
  std::span<const Flow> saved_;
  const FlowSnapshot* live_ = nullptr;
  const HistorySnapshot* history_ = nullptr;  // null: not meant
  FlowPeriod period_;
};

}  // namespace orb8
