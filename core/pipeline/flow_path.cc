// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/flow_path.h"

#include <span>

namespace orb8 {

FlowPath::FlowPath(FlowSource& source, FlowTable& table, StreamHub& hub)
    : source_(source),
      table_(table),
      hub_(hub),
      record_fn_([this](const FlowRecord& record) { on_record(record); }),
      packet_fn_([this](const Event& packet) { on_packet(packet); }),
      // Without Kubernetes there is nobody to ask: both sides stay unknown.
      resolve_fn_([](const FlowRecord&) { return FlowOwners{}; }) {}

Result<void> FlowPath::take_snapshot(std::int64_t now_ns, FlowTable::Due which) {
  auto ok = source_.collect(record_fn_);
  end_evicted();
  end_due(now_ns, which);
  table_.publish();
  return ok;
}

std::size_t FlowPath::take_ready(std::size_t most) {
  const auto handled = source_.handle_ready(most, record_fn_, packet_fn_);
  end_evicted();  // spilled flows push others out between snapshots too
  return handled;
}

void FlowPath::on_record(const FlowRecord& record) {
  ++events_processed_;
  const auto change = table_.apply(record, resolve_fn_);
  if (!change.flow || (!change.started && change.packets == 0)) return;
  if (!hub_.wants_flows()) return;
  Event event;
  event.kind = change.started ? EventKind::kFlowStart : EventKind::kFlowUpdate;
  event.flow = *change.flow;
  event.packets = change.packets;
  event.bytes = change.bytes;
  event.timestamp_ns = change.flow->last_seen_ns;
  hub_.publish(event);
}

void FlowPath::on_packet(const Event& packet) {
  ++events_processed_;
  hub_.publish(packet);
}

void FlowPath::end_due(std::int64_t now_ns, FlowTable::Due which) {
  const auto keys = table_.due(now_ns, which);
  // The kernel's entry goes first, and its last words are taken in: nothing falls in between.
  source_.forget(keys, record_fn_);
  for (const auto& key : keys) {
    if (const auto ended = table_.end(key, now_ns)) tell_end(*ended);
  }
}

void FlowPath::end_evicted() {
  for (auto& ended : table_.take_evicted()) {
    // The entry's last word belongs to the flow: to its row, if it came back meanwhile.
    source_.forget(std::span(&ended.flow.key, 1), [&](const FlowRecord& record) {
      if (table_.contains(record.key)) {
        on_record(record);
      } else {
        ended.add_last(record);
      }
    });
    tell_end(ended);
  }
}

void FlowPath::tell_end(const FlowTable::Ended& ended) {
  if (!hub_.wants_flows()) return;
  Event event;
  event.kind = EventKind::kFlowEnd;
  event.end_reason = ended.reason;
  event.flow = ended.flow;
  event.timestamp_ns = ended.flow.last_seen_ns;
  hub_.publish(event);
}

}  // namespace orb8
