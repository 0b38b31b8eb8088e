// One stream's events: what has been, where that is asked for, and then what happens; none of it
// twice, and nothing missing in between.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>

#include "core/base/result.h"
#include "core/flow/flow_replay.h"
#include "core/flow/stream_hub.h"
#include "core/pipeline/pipeline.h"

namespace orb8 {

// It listens first and looks at the flows then: what the view knows of is left out of what it
// hears. Live events wait meanwhile, in a queue that has a bound: a reader who takes long over what
// has been may lose some, and is told how many.
class EventFeed {
 public:
  // Errors are those of Pipeline::subscribe(). Any thread but the pipeline's, as for next().
  static Result<EventFeed> open(Pipeline& pipeline, StreamQuery query);

  // As Subscription::next(). It ends with the pipeline; without `follow`, when all has been told.
  Subscription::Batch next(std::chrono::milliseconds timeout, const std::stop_token& stop = {});

  // Whether there is more of what has been; until then it keeps the pages of that moment.
  bool replays() const { return !replay_.over(); }

 private:
  std::optional<Subscription> live_;  // none: it ends with what has been
  FlowReplay replay_;
  std::uint64_t events_before_ = 0;  // that the view knows of
};

}  // namespace orb8
