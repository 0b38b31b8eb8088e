// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/flow_path.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <span>
#include <utility>

#include "core/base/clock.h"

namespace orb8 {
namespace {

// The end of a flow whose socket closed is told at once; its row stays a little for who asks.
bool told_already(const Flow& flow) {
  return flow.life == FlowLife::kClosed;
}

}  // namespace

FlowPath::FlowPath(const Parts& parts)
    : source_(parts.source),
      attribution_(parts.attribution),
      table_(parts.table),
      history_(parts.history),
      hub_(parts.hub),
      desk_(parts.desk),
      metering_(parts.metering),
      record_fn_([this](const FlowRecord& record) { on_record(record); }),
      packet_fn_([this](const Event& packet) { on_packet(packet); }),
      resolve_fn_([this](const FlowRecord& record) { return attribution_.owners_of(record); }) {}

// Of what is counted from here on.
void FlowPath::set_time(std::int64_t wall_ns) {
  const auto now_ns = steady_now_ns();
  attribution_.refresh(now_ns);
  metering_.set_time(now_ns, wall_ns);
}

Result<void> FlowPath::take_snapshot(std::int64_t now_ns, FlowTable::Due which) {
  set_time(now_ns);
  auto ok = source_.collect(record_fn_);
  if (const auto* living = ok ? source_.living_sockets() : nullptr) {
    take_last_words();
    close_all_but(*living, now_ns);
  }
  attribution_.name_late(
      steady_now_ns());  // before any of them ends: the last word on a flow has its names
  end_due(now_ns, which);
  if (which == FlowTable::Due::kAll) metering_.expire();
  table_.tidy();
  history_.expire(now_ns);
  return ok;
}

void FlowPath::name_late() {
  attribution_.name_late(steady_now_ns());
}

// What closed before the snapshot came to it waits in the ring.
void FlowPath::take_last_words() {
  constexpr int kMostBatches = 64;  // more than the ring has room for
  constexpr std::size_t kBatch = 1024;
  for (int i = 0; i < kMostBatches && take_ready(kBatch) == kBatch; ++i) {
  }
}

void FlowPath::close_all_but(const LivingSockets& living, std::int64_t now_ns) {
  const auto gone = table_.held([&](const FlowKey& key) { return !living.contains(key.socket); });
  for (const auto& key : gone) {
    const auto& flow = *table_.find(key);
    FlowRecord last;
    last.key = key;
    last.life = FlowLife::kClosed;
    last.socket = flow.socket;
    last.first_seen_ns = flow.first_seen_ns;
    last.last_seen_ns = now_ns;
    on_record(last);
  }
  if (gone.empty()) return;
  ended_unseen_ += gone.size();
  spdlog::warn("{} flows ended unseen: what they moved since the snapshot before is missing",
               gone.size());
}

std::size_t FlowPath::take_ready(std::size_t most) {
  set_time(wall_now_ns());
  const auto taken = source_.handle_ready(most, record_fn_, packet_fn_);
  tell_held();
  return taken;
}

void FlowPath::answer_readers() {
  if (metering_.is_asked() || desk_.wanted()) tell_held();  // what they get is told before it
  metering_.answer_readers();
  // What is pushed out is on its way into the history, and in neither: soon.
  if (!desk_.wanted() || ending_evicted_) return;
  desk_.answer([this](bool history) { return view(history); });
}

FlowView FlowPath::view(bool history) {
  return {.live = table_.share(),
          .history = history ? history_.share() : nullptr,
          .taken_ns = history_.moment(wall_now_ns()),
          .events_before = hub_.published()};
}

void FlowPath::on_record(const FlowRecord& record) {
  answer_readers();
  ++events_processed_;
  const auto change = table_.apply(record, resolve_fn_);
  if (!change.flow) return;
  moved_.packets += change.packets;
  moved_.bytes += change.bytes;
  can_wait(change) ? hold(change) : tell(*change.flow, change);
  attribution_.settle();
  end_evicted();
}

// Of a connection inside this machine one end is told of first: who the other is it knows when that
// one's record is in. Whatever else comes of the flow meanwhile waits with it.
bool FlowPath::can_wait(const FlowTable::Change& change) const {
  if (change.started) return attribution_.awaits_other_end();
  return !held_.empty() && held_keys_.contains(change.flow->key);
}

void FlowPath::hold(const FlowTable::Change& change) {
  constexpr std::size_t kMost = 4096;
  if (held_.size() == kMost) tell_held();
  held_keys_.insert(change.flow->key);
  auto& held = held_.emplace_back(Held{.flow = *change.flow, .change = change});
  held.change.flow = nullptr;  // a row may go meanwhile
}

void FlowPath::tell_held() {
  if (held_.empty()) return;
  held_keys_.clear();
  for (auto& [flow, change] : std::exchange(held_, {})) {
    if (const auto* row = table_.find(flow.key)) flow.owners = row->owners;
    tell(flow, change);
  }
}

void FlowPath::tell(const Flow& flow, const FlowTable::Change& change) {
  metering_.count(
      flow, {.packets = change.packets, .bytes = change.bytes, .retransmits = change.retransmits});
  tell_change(flow, change);
  if (!change.closed) return;
  metering_.count_end(flow, table_);
  tell_end(flow, EndReason::kClosed);
}

void FlowPath::tell_change(const Flow& flow, const FlowTable::Change& change) {
  if (!change.started && !change.has_moved()) return;
  const auto kind = change.started ? EventKind::kFlowStart : EventKind::kFlowUpdate;
  if (!hub_.wants(kind)) return;
  Event event;
  event.kind = kind;
  event.flow = flow;
  event.packets = change.packets;
  event.bytes = change.bytes;
  event.timestamp_ns = flow.last_seen_ns;
  hub_.publish(std::move(event));
}

void FlowPath::on_packet(const Event& packet) {
  ++events_processed_;
  auto named = packet;
  named.flow.owners = attribution_.owners_of(packet);
  hub_.publish(std::move(named));
}

void FlowPath::end_due(std::int64_t now_ns, FlowTable::Due which) {
  const auto due = table_.due(now_ns, which);
  // The kernel's entry goes first, and its last words are taken in: nothing falls in between.
  source_.forget(due, record_fn_);
  tell_held();
  for (const auto& flow : due) {
    const auto ended = table_.end(flow.key, now_ns);
    if (!ended) continue;
    keep(*ended);
    if (!told_already(ended->flow)) tell_end(ended->flow, ended->reason);
  }
}

// At once, before the next record: that may be the evicted flow's own, whose counters would start
// from zero in a new row.
void FlowPath::end_evicted() {
  if (ending_evicted_) return;  // what this pushes out itself is taken by the loop
  ending_evicted_ = true;
  for (auto evicted = table_.take_evicted(); !evicted.empty(); evicted = table_.take_evicted()) {
    tell_held();  // before their ends
    for (auto& ended : evicted) end_evicted(ended);
  }
  ending_evicted_ = false;
}

void FlowPath::end_evicted(FlowTable::Ended& ended) {
  const ToldFlow gone{.key = ended.flow.key, .told = ended.told, .life = ended.flow.life};
  // The entry's last word belongs to the flow: to its row, if it came back meanwhile.
  source_.forget(std::span(&gone, 1), [&](const FlowRecord& record) {
    if (record.key == ended.flow.key && !table_.find(record.key)) {
      const auto moved = ended.add_last(record);
      moved_.packets += moved.packets;
      moved_.bytes += moved.bytes;
      metering_.count(ended.flow, {.packets = moved.packets, .bytes = moved.bytes});
    } else {
      on_record(record);
    }
  });
  keep(ended);
  if (!told_already(ended.flow)) tell_end(ended.flow, ended.reason);
}

void FlowPath::keep(const FlowTable::Ended& ended) {
  history_.add(ended.flow, ended.reason, wall_now_ns());
}

void FlowPath::tell_end(const Flow& flow, EndReason reason) {
  if (!hub_.wants(EventKind::kFlowEnd)) return;
  Event event;
  event.kind = EventKind::kFlowEnd;
  event.end_reason = reason;
  event.flow = flow;
  event.timestamp_ns = flow.last_seen_ns;
  hub_.publish(std::move(event));
}

}  // namespace orb8
