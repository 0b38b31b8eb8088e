// Flow records to one sink: each flow's last when it ends, and of those that live on one each
// interval in which they moved.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/export/export_tally.h"
#include "core/export/export_thread.h"
#include "core/export/exporter.h"
#include "core/export/flow_sink.h"
#include "core/flow/flow_table.h"
#include "core/flow/stream_hub.h"

namespace orb8 {

// Nothing is kept of a flow here: a record tells all since the flow began, and whoever reads takes
// the largest of each. So what lives on and was told too early, or not at all since a receiver was
// away, is told again by the next record; the ends are what can be lost, and are counted.
class FlowExporter final : public Exporter {
 public:
  struct Options {
    std::chrono::nanoseconds interval = std::chrono::seconds(60);
    // How long a row may lag behind the packets that it tells of: what moved so long before the
    // last time is told once more.
    std::chrono::nanoseconds lag = std::chrono::seconds(10);
    // A queue that overflowed is well again when it has not for that long.
    std::chrono::nanoseconds calm = std::chrono::minutes(1);
  };
  struct Parts {
    Subscription ends;  // of kFlowEnd
    std::function<std::shared_ptr<const FlowSnapshot>()> flows;
    std::unique_ptr<FlowSink> sink;
    std::shared_ptr<ExportTally> tally;  // the sink's
  };

  FlowExporter(Parts parts, Options options);

  // What subscription `ends` must have; `capacity` records are the bound of the queue.
  static SubscribeOptions wanted_events(std::size_t capacity);

  ExporterStatus status() const override { return parts_.tally->status(); }
  void begin_stop() override { thread_.begin_stop(); }
  void stop_by(Clock::time_point deadline) override { thread_.stop_by(deadline); }

 private:
  void run(const std::stop_token& asked, const std::stop_token& give_up);
  void write(std::span<const Event> records, const std::stop_token& give_up);
  void flush(const std::stop_token& give_up);
  void lost(std::uint64_t count);
  void recover_if_calm();
  void flush_if_due(const std::stop_token& give_up);
  struct Took {
    bool full = false;  // there may be more at once
    bool last = false;  // there will be no more
  };
  Took take_batch(std::chrono::nanoseconds wait, const std::stop_token& asked,
                  const std::stop_token& give_up);
  void tell_living(std::int64_t began_ns, const std::stop_token& give_up);

  Parts parts_;
  Options options_;
  std::optional<Clock::time_point> gathered_since_;
  std::optional<Clock::time_point> lost_at_;  // the queue's last, until it is well again
  std::int64_t told_ns_ = 0;   // when the last round through the living began that told all
  bool all_taken_ = true;      // what was written or flushed since this round began
  std::vector<Event> living_;  // a part of them
  ExportThread thread_;        // last: it uses all of the above
};

}  // namespace orb8
