// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_table.h"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

namespace orb8 {
namespace {

bool is_closed(const Flow& flow) {
  return flow.key.protocol == IPPROTO_TCP && (flow.tcp_flags & (kTcpFin | kTcpRst)) != 0;
}

// A counter that went backwards is another kernel's bug or a torn read: nothing moved.
std::uint64_t moved(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

}  // namespace

void FlowSnapshot::for_each(const std::function<void(const Flow&)>& visit) const {
  for (const auto& page : pages_) {
    for (std::size_t i = 0; i < FlowPage::kRows; ++i) {
      if (page->used[i]) visit(page->rows[i]);
    }
  }
}

FlowTable::FlowTable(Limits limits)
    : limits_(limits),
      index_([this](Slot slot) -> const FlowKey& { return row(slot).key; }),
      published_(std::make_shared<const FlowSnapshot>()) {}

// --- rows ---

const Flow& FlowTable::row(Slot slot) const {
  return pages_[slot / FlowPage::kRows].rows->rows[slot % FlowPage::kRows];
}

FlowPage& FlowTable::writable_page(Slot slot) {
  auto& page = pages_[slot / FlowPage::kRows];
  if (page.written <= publish_count_) {
    page.rows = std::make_shared<FlowPage>(*page.rows);
    page.written = publish_count_ + 1;
  }
  return *page.rows;
}

Flow& FlowTable::writable_row(Slot slot) {
  return writable_page(slot).rows[slot % FlowPage::kRows];
}

FlowTable::Slot FlowTable::add_row(const FlowRecord& record) {
  if (free_.empty()) {
    const auto first = static_cast<Slot>(progress_.size());
    pages_.push_back({std::make_shared<FlowPage>(), publish_count_ + 1});
    progress_.resize(progress_.size() + FlowPage::kRows);
    for (Slot i = FlowPage::kRows; i > 0; --i) free_.push_back(first + i - 1);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  auto& page = writable_page(slot);
  page.used[slot % FlowPage::kRows] = true;
  Flow& flow = page.rows[slot % FlowPage::kRows];
  flow = {};
  flow.key = record.key;
  flow.first_seen_ns = record.first_seen_ns;
  progress_[slot] = {};
  index_.insert(record.key, slot);
  link_newest(slot);
  return slot;
}

void FlowTable::remove(Slot slot) {
  index_.erase(row(slot).key);
  unlink(slot);
  auto& page = writable_page(slot);
  page.used[slot % FlowPage::kRows] = false;
  page.rows[slot % FlowPage::kRows].owners = {};
  free_.push_back(slot);
}

void FlowTable::link_newest(Slot slot) {
  auto& links = progress_[slot];
  links.older = newest_;
  links.newer = kNone;
  (newest_ == kNone ? oldest_ : progress_[newest_].newer) = slot;
  newest_ = slot;
}

void FlowTable::unlink(Slot slot) {
  const auto& links = progress_[slot];
  (links.older == kNone ? oldest_ : progress_[links.older].newer) = links.newer;
  (links.newer == kNone ? newest_ : progress_[links.newer].older) = links.older;
}

// --- records ---

FlowTable::Change FlowTable::apply(const FlowRecord& record, const ResolveFn& resolve) {
  Slot slot = index_.find(record.key);
  if (slot != kNone) return advance(slot, record);

  if (index_.size() >= limits_.max_flows) {
    pushed_out_.push_back({row(oldest_), EndReason::kEvicted});
    remove(oldest_);
    ++evicted_;
  }
  slot = add_row(record);
  auto change = advance(slot, record);
  writable_row(slot).owners = resolve(record);
  change.flow = &row(slot);
  change.started = true;
  return change;
}

FlowTable::Change FlowTable::advance(Slot slot, const FlowRecord& record) {
  auto& progress = progress_[slot];
  Change change{.flow = &row(slot), .packets = record.packets, .bytes = record.bytes};
  if (record.incarnation != 0) {
    if (record.incarnation == progress.incarnation) {
      change.packets = moved(record.packets, progress.packets);
      change.bytes = moved(record.bytes, progress.bytes);
    }
    progress.incarnation = record.incarnation;
    progress.packets = record.packets;
    progress.bytes = record.bytes;
  }
  if (change.packets == 0 && change.bytes == 0) return change;

  Flow& flow = writable_row(slot);
  const bool was_closed = is_closed(flow);
  flow.packets += change.packets;
  flow.bytes += change.bytes;
  flow.last_seen_ns = record.last_seen_ns;
  flow.tcp_flags |= record.tcp_flags;
  flow.ifindex = record.ifindex;
  if (record.cgroup_id != 0) flow.cgroup_id = record.cgroup_id;
  if (!was_closed && is_closed(flow)) closing_.push_back(flow.key);
  unlink(slot);
  link_newest(slot);
  change.flow = &flow;
  return change;
}

// --- ends ---

// Times are the source's and the caller's of one clock. One that was stepped back makes flows look
// younger than they are, which only delays their end.
EndReason FlowTable::reason_to_end(const Flow& flow, std::int64_t now_ns) const {
  const auto silent_ns = now_ns - flow.last_seen_ns;
  if (is_closed(flow) && silent_ns >= limits_.closed_timeout_ns) return EndReason::kClosed;
  if (silent_ns >= limits_.idle_timeout_ns) return EndReason::kIdle;
  return EndReason::kNone;
}

std::vector<FlowKey> FlowTable::due(std::int64_t now_ns) {
  std::vector<FlowKey> keys;
  // In the order of last movement: behind the first that is not due none is.
  for (Slot slot = oldest_; slot != kNone; slot = progress_[slot].newer) {
    if (reason_to_end(row(slot), now_ns) != EndReason::kIdle) {
      if (!is_closed(row(slot))) break;
      continue;  // a closed one is looked at below
    }
    keys.push_back(row(slot).key);
  }
  std::erase_if(closing_, [&](const FlowKey& key) {
    const Slot slot = index_.find(key);
    if (slot == kNone || !is_closed(row(slot))) return true;  // ended otherwise
    if (reason_to_end(row(slot), now_ns) != EndReason::kClosed) return false;
    keys.push_back(key);
    return false;
  });
  return keys;
}

std::optional<FlowTable::Ended> FlowTable::end(const FlowKey& key, std::int64_t now_ns) {
  const Slot slot = index_.find(key);
  if (slot == kNone) return std::nullopt;
  const auto reason = reason_to_end(row(slot), now_ns);
  if (reason == EndReason::kNone) return std::nullopt;
  Ended ended{row(slot), reason};
  remove(slot);
  ++expired_;
  return ended;
}

std::vector<FlowTable::Ended> FlowTable::take_evicted() {
  return std::exchange(pushed_out_, {});
}

// --- readers ---

void FlowTable::publish() {
  auto next = std::make_shared<FlowSnapshot>();
  next->pages_.reserve(pages_.size());
  for (const auto& page : pages_) next->pages_.push_back(page.rows);
  next->size_ = index_.size();
  ++publish_count_;
  std::shared_ptr<const FlowSnapshot> previous = std::move(next);
  {
    const std::lock_guard lock(published_mutex_);
    published_.swap(previous);
  }
  // The one before is freed here, not under the lock.
}

std::shared_ptr<const FlowSnapshot> FlowTable::snapshot() const {
  const std::lock_guard lock(published_mutex_);
  return published_;
}

}  // namespace orb8
