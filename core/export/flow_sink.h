// Where a FlowExporter hands flow records over: a file, a collector.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <stop_token>

#include "core/model/event.h"

namespace orb8 {

// A record is a flow with its totals since it began: kFlowEnd, its last, or kFlowUpdate of one that
// lives on. One thread calls all of these; each record ends up in one count of the sink's tally.
class FlowSink {
 public:
  virtual ~FlowSink() = default;

  // Takes them all, in order, and may gather them until flush(). Blocks for as long as it takes,
  // and returns soon once `give_up` is requested. False: some were lost, or given up.
  virtual bool write(std::span<const Event> records, const std::stop_token& give_up) = 0;
  // Hands over what is gathered. Called a second after the first of it came, at most.
  virtual bool flush(const std::stop_token& give_up) = 0;
  // Called when the records of an interval are flushed, and at the end.
  virtual void interval_over() = 0;
};

}  // namespace orb8
