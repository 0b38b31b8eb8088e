// SPDX-License-Identifier: Apache-2.0
#include "core/export/flow_exporter.h"

#include <algorithm>
#include <utility>

#include "core/base/clock.h"

namespace orb8 {
namespace {

using namespace std::chrono_literals;

constexpr auto kGather = 1s;             // for how long a record may wait for company
constexpr std::size_t kPagesAtOnce = 8;  // 1,024 flows, some 250 KiB
// What is taken out of the queue waits where no bound sees it.
constexpr std::size_t kEndsAtOnce = 512;
constexpr int kBatchesBetween = 8;  // of ends, between two parts of the living

}  // namespace

FlowExporter::FlowExporter(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(options),
      thread_([this](const std::stop_token& asked, const std::stop_token& give_up) {
        run(asked, give_up);
      }) {}

SubscribeOptions FlowExporter::wanted_events(std::size_t capacity) {
  return {
      .selection = {}, .kinds = kinds_of(EventKind::kFlowEnd), .own = true, .capacity = capacity};
}

void FlowExporter::run(const std::stop_token& asked, const std::stop_token& give_up) {
  auto next_round = Clock::now() + options_.interval;
  for (bool more = true; more;) {
    auto until = next_round;
    if (gathered_since_) until = std::min(until, *gathered_since_ + kGather);
    if (lost_at_) until = std::min(until, *lost_at_ + options_.calm);
    more = !take_batch(until - Clock::now(), asked, give_up).last && !asked.stop_requested();
    recover_if_calm();
    if (more && Clock::now() < next_round) {
      flush_if_due(give_up);
      continue;
    }
    if (!more) {
      while (take_batch(0s, {}, give_up).full) continue;  // what came while we were busy
    }
    const auto began_ns = wall_now_ns();
    all_taken_ = true;
    tell_living(began_ns, give_up);
    flush(give_up);
    // Else the next round tells them all again. Only now it is known: a sink gathers.
    if (all_taken_) told_ns_ = began_ns;
    parts_.sink->interval_over();
    // Late, behind a slow sink: go on from here.
    next_round = std::max(next_round + options_.interval, Clock::now());
  }
}

void FlowExporter::write(std::span<const Event> records, const std::stop_token& give_up) {
  if (records.empty()) return;
  if (!gathered_since_) gathered_since_ = Clock::now();
  all_taken_ &= parts_.sink->write(records, give_up);
}

void FlowExporter::flush(const std::stop_token& give_up) {
  all_taken_ &= parts_.sink->flush(give_up);
  gathered_since_.reset();
}

void FlowExporter::lost(std::uint64_t count) {
  lost_at_ = Clock::now();
  parts_.tally->add_dropped(count);
  parts_.tally->trouble(
      "records come faster than they are taken, and the oldest are dropped; raise "
      "export_queue_size if that passes, or have them taken faster",
      ExportTally::Part::kQueue);
}

void FlowExporter::recover_if_calm() {
  if (!lost_at_ || Clock::now() < *lost_at_ + options_.calm) return;
  lost_at_.reset();
  parts_.tally->all_is_well(ExportTally::Part::kQueue);
}

void FlowExporter::flush_if_due(const std::stop_token& give_up) {
  if (!gathered_since_ || Clock::now() < *gathered_since_ + kGather) return;
  flush(give_up);
}

FlowExporter::Took FlowExporter::take_batch(std::chrono::nanoseconds wait,
                                            const std::stop_token& asked,
                                            const std::stop_token& give_up) {
  const auto time = std::chrono::ceil<std::chrono::milliseconds>(std::max(wait, 0ns));
  const auto batch = parts_.ends.next(time, asked, kEndsAtOnce);
  if (batch.dropped_before > 0) lost(batch.dropped_before);
  write(batch.events, give_up);
  return {.full = batch.events.size() == kEndsAtOnce, .last = batch.ended};
}

// A part at a time, each of a snapshot of its own: none is held while the sink takes its time, as
// the table copies what a reader holds.
void FlowExporter::tell_living(std::int64_t began_ns, const std::stop_token& give_up) {
  // A clock that was set back makes everything new.
  const auto since_ns = began_ns < told_ns_ ? 0 : told_ns_ - options_.lag.count();
  for (std::size_t page = 0;; page += kPagesAtOnce) {
    {
      const auto snapshot = parts_.flows();
      if (page >= snapshot->page_numbers()) break;
      snapshot->for_each_in(page, kPagesAtOnce, [&](const Flow& flow) {
        // The end of one whose socket is closed was told.
        if (flow.life == FlowLife::kClosed || flow.last_seen_ns < since_ns) return;
        Event& record = living_.emplace_back();
        record.kind = EventKind::kFlowUpdate;
        record.flow = flow;
        record.timestamp_ns = flow.last_seen_ns;
      });
    }
    write(living_, give_up);
    living_.clear();
    if (!all_taken_) return;
    for (int i = 0; i < kBatchesBetween && take_batch(0s, {}, give_up).full; ++i) continue;
  }
  living_.shrink_to_fit();
}

}  // namespace orb8
