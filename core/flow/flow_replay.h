// What has been, as a stream tells it: before it goes on with what happens.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/flow/flow_filter.h"
#include "core/flow/flow_matcher.h"
#include "core/flow/flow_view.h"
#include "core/model/event.h"

namespace orb8 {

// Which events are told; `last` and `first` exclude each other.
struct ReplayChoice {
  FlowPeriod period;        // in which the event itself lies, not only its flow
  std::uint32_t last = 0;   // so many at most, the latest; 0: all
  std::uint32_t first = 0;  // so many at most, the earliest; 0: all

  // Of a flow that moved after the period it is not known what it was when that ended.
  bool holds_at(std::int64_t event_ns) const {
    return event_ns >= period.since_ns && (period.until_ns == 0 || event_ns <= period.until_ns);
  }
};

// What a stream is asked for.
struct StreamQuery {
  FlowSelection selection;
  bool packets = false;                 // packet events instead of flow events
  std::optional<ReplayChoice> history;  // what goes before what happens; absent: nothing
  bool follow = true;                   // what happens from now on
};

// One event for each flow of a view: its end, if it has ended, else an update, with all that it
// moved. In the order of their last packets. It keeps the view until the last was taken.
class FlowReplay {
 public:
  FlowReplay() = default;  // of nothing
  FlowReplay(FlowView view, const FlowMatcher& matcher, const ReplayChoice& choice);

  bool over() const { return at_ == flows_.size(); }
  // At most so many of those that are left.
  std::vector<Event> next(std::size_t most);

 private:
  FlowView view_;
  std::vector<const Flow*> flows_;  // of the view, in their order
  std::size_t at_ = 0;
};

}  // namespace orb8
