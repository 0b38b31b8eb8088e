// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_table.h"

#include <malloc.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

namespace orb8 {
namespace {

constexpr std::size_t kPagesToGiveBack = 64;  // about 1 MiB

bool is_closed(const Flow& flow) {
  if (flow.life != FlowLife::kByPackets) return flow.life == FlowLife::kClosed;
  return flow.key.protocol == IPPROTO_TCP && (flow.tcp_flags & (kTcpFin | kTcpRst)) != 0;
}

// Known to have no more to say: without it nothing is missing.
bool is_over(const Flow& flow) {
  return flow.life == FlowLife::kClosed;
}

bool has_new_owner(const Flow& flow, const FlowRecord& record) {
  const auto* owner = flow.owners->local.get();
  if (record.pid != 0 && (!owner || owner->pid != record.pid)) return true;
  if (record.cgroup_id != 0 && (!owner || owner->cgroup_id == 0)) return true;
  if (!owner) return false;
  // Its pod, or its container's name, may be known by now.
  const bool pod = owner->endpoint && owner->endpoint->kind == EndpointKind::kPod;
  if (!owner->pod_uid.empty() && !pod) return true;
  return !owner->container_id.empty() && owner->container_name.empty();
}

// How far a counter went beyond the largest value that was seen of it. Less than that is a reading
// that was overtaken by a later one: nothing moved.
std::uint64_t growth(std::uint64_t now, std::uint64_t largest) {
  return now > largest ? now - largest : 0;
}

// What a record adds to what was told before. Payload is worked out of several of the kernel's
// numbers, which a snapshot reads while they move: a later record may take back what an earlier one
// had too much. So its difference may be negative, modulo 2^64.
FlowProgress moved_since(const FlowProgress& told, const FlowRecord& record) {
  const bool overtaken = record.packets < told.packets;
  return {.incarnation = record.incarnation,
          .packets = growth(record.packets, told.packets),
          .bytes = growth(record.bytes, told.bytes),
          .payload_bytes = overtaken ? 0 : record.payload_bytes - told.payload_bytes};
}

}  // namespace

FlowSnapshot::~FlowSnapshot() {
  pages_.clear();  // first: who sees no reader writes to the pages
  --*readers_;
}

void FlowSnapshot::for_each(const std::function<void(const Flow&)>& visit) const {
  for_each_in(0, pages_.size(), visit);
}

void FlowSnapshot::for_each_in(std::size_t first, std::size_t count,
                               const std::function<void(const Flow&)>& visit) const {
  const auto from = std::min(first, pages_.size());
  for (const auto& page : std::span(pages_).subspan(from, std::min(count, pages_.size() - from))) {
    for (std::size_t i = 0; page && i < FlowPage::kRows; ++i) {
      if (page->used.test(i)) visit(page->rows[i]);
    }
  }
}

std::size_t FlowSnapshot::pages() const noexcept {
  return pages_.size() - static_cast<std::size_t>(std::ranges::count(pages_, nullptr));
}

FlowTable::FlowTable(Limits limits)
    : limits_(limits),
      index_([this](Slot slot) -> const FlowKey& { return row(slot).key; }),
      readers_(std::make_shared<std::atomic<std::uint32_t>>(0)) {
  limits_.max_flows = std::clamp<std::size_t>(limits_.max_flows, 1, kNone - 1);
}

// --- rows ---

const Flow& FlowTable::row(Slot slot) const {
  return pages_[slot / FlowPage::kRows].rows->rows[slot % FlowPage::kRows];
}

const FlowTable::Progress& FlowTable::progress(Slot slot) const {
  return (*pages_[slot / FlowPage::kRows].progress)[slot % FlowPage::kRows];
}

FlowTable::Progress& FlowTable::progress(Slot slot) {
  return (*pages_[slot / FlowPage::kRows].progress)[slot % FlowPage::kRows];
}

FlowPage& FlowTable::writable_page(Slot slot) {
  auto& page = pages_[slot / FlowPage::kRows];
  if (page.written <= share_count_) {
    if (readers_->load() != 0) page.rows = std::make_shared<FlowPage>(*page.rows);
    page.written = share_count_ + 1;
  }
  changed_ = true;
  return *page.rows;
}

Flow& FlowTable::writable_row(Slot slot) {
  return writable_page(slot).rows[slot % FlowPage::kRows];
}

FlowTable::Slot FlowTable::take_slot() {
  if (pages_with_room_.empty()) {
    pages_with_room_.push(pages_.size());
    pages_.emplace_back();
  }
  const std::size_t number = pages_with_room_.top();
  auto& page = pages_[number];
  if (!page.rows) {
    page.rows = std::make_shared<FlowPage>();
    page.progress = std::make_unique<std::array<Progress, FlowPage::kRows>>();
    page.written = share_count_ + 1;
  }
  std::size_t at = 0;
  while (page.rows->used.test(at)) ++at;
  if (++page.used == FlowPage::kRows) pages_with_room_.pop();
  return static_cast<Slot>(number * FlowPage::kRows + at);
}

FlowTable::Slot FlowTable::add_row(const FlowRecord& record, std::uint32_t hash) {
  const Slot slot = take_slot();
  auto& page = writable_page(slot);
  page.used.set(slot % FlowPage::kRows);
  Flow& flow = page.rows[slot % FlowPage::kRows];
  flow = {};
  flow.key = record.key;
  flow.ifindex = record.ifindex;
  flow.first_seen_ns = record.first_seen_ns;
  flow.last_seen_ns = std::max(record.first_seen_ns, record.last_seen_ns);
  progress(slot) = {};
  index_.insert(hash, slot);
  link_newest(slot);
  return slot;
}

void FlowTable::remove(Slot slot) {
  index_.erase(FlowIndex::hash_of(row(slot).key), slot);
  unlink(slot);
  before_.erase(slot);
  auto& rows = writable_page(slot);
  rows.used.reset(slot % FlowPage::kRows);
  rows.rows[slot % FlowPage::kRows].owners = {};
  auto& page = pages_[slot / FlowPage::kRows];
  if (page.used-- == FlowPage::kRows) pages_with_room_.push(slot / FlowPage::kRows);
}

// --- lines ---

FlowTable::Line& FlowTable::line_of(const Flow& flow) {
  if (is_closed(flow)) return closed_;
  return flow.life == FlowLife::kOpen ? held_ : idling_;
}

void FlowTable::link_newest(Slot slot) {
  auto& line = line_of(row(slot));
  auto& links = progress(slot);
  links.older = line.newest;
  links.newer = kNone;
  (line.newest == kNone ? line.oldest : progress(line.newest).newer) = slot;
  line.newest = slot;
}

void FlowTable::unlink(Slot slot) {
  auto& line = line_of(row(slot));
  const auto& links = progress(slot);
  (links.older == kNone ? line.oldest : progress(links.older).newer) = links.newer;
  (links.newer == kNone ? line.newest : progress(links.newer).older) = links.older;
}

// In a full table: what is over; else the oldest of what may end any time; open sockets' last.
FlowTable::Slot FlowTable::first_to_go() const {
  if (closed_.oldest != kNone && is_over(row(closed_.oldest))) return closed_.oldest;
  if (idling_.oldest == kNone && closed_.oldest == kNone) return held_.oldest;
  if (idling_.oldest == kNone) return closed_.oldest;
  if (closed_.oldest == kNone) return idling_.oldest;
  const bool idle_first = row(idling_.oldest).last_seen_ns < row(closed_.oldest).last_seen_ns;
  return idle_first ? idling_.oldest : closed_.oldest;
}

void FlowTable::push_out(Slot slot) {
  const bool over = is_over(row(slot));
  pushed_out_.push_back({row(slot), over ? EndReason::kClosed : EndReason::kEvicted, told(slot)});
  remove(slot);
  ++(over ? expired_ : evicted_);
}

// --- records ---

FlowTable::Change FlowTable::apply(const FlowRecord& record, const ResolveFn& resolve) {
  const auto hash = FlowIndex::hash_of(record.key);
  Slot slot = index_.find(record.key, hash);
  if (slot != kNone) {
    auto change = advance(slot, record);
    if (has_new_owner(row(slot), record)) {
      writable_row(slot).owners = resolve(record);
      change.flow = &row(slot);
    }
    return change;
  }
  if (record.packets == 0 && record.bytes == 0) return {};

  if (index_.size() >= limits_.max_flows) push_out(first_to_go());
  slot = add_row(record, hash);
  auto change = advance(slot, record);
  writable_row(slot).owners = resolve(record);
  change.flow = &row(slot);
  change.started = true;
  return change;
}

// True if the flow's socket was closed by this.
bool FlowTable::change_facts(Slot slot, const FlowRecord& record) {
  const auto& before = row(slot);
  if (before.life == record.life && before.socket == record.socket) return false;
  const bool closed = record.life == FlowLife::kClosed && before.life != FlowLife::kClosed;
  unlink(slot);  // before its life changes: that tells its line
  Flow& flow = writable_row(slot);
  flow.life = record.life;
  flow.socket = record.socket;
  if (closed) flow.last_seen_ns = std::max(flow.last_seen_ns, record.last_seen_ns);
  link_newest(slot);
  return closed;
}

// --- what was told ---

// What the source said last of the present incarnation.
FlowProgress FlowTable::told(Slot slot) const {
  const auto& flow = row(slot);
  FlowProgress told{.incarnation = progress(slot).incarnation,
                    .packets = flow.packets,
                    .bytes = flow.bytes,
                    .payload_bytes = flow.payload_bytes,
                    .retransmitted_bytes = flow.socket.retransmitted_bytes,
                    .retransmits = flow.socket.retransmits};
  if (const auto before = before_.find(slot); before != before_.end()) {
    told.packets -= before->second.packets;
    told.bytes -= before->second.bytes;
    told.payload_bytes -= before->second.payload_bytes;
  }
  return told;
}

void FlowTable::add_before(Slot slot, const FlowProgress& more) {
  auto& before = before_[slot];
  before.packets += more.packets;
  before.bytes += more.bytes;
  before.payload_bytes += more.payload_bytes;
}

FlowTable::Change FlowTable::advance(Slot slot, const FlowRecord& record) {
  auto& present = progress(slot).incarnation;
  const bool goes_on = record.incarnation != 0 && record.incarnation == present;
  const bool anew = record.incarnation != 0 && !goes_on;
  const auto retransmits_before = anew ? 0 : row(slot).socket.retransmits;
  if (anew) {
    if (row(slot).packets != 0 || row(slot).bytes != 0) add_before(slot, told(slot));
    present = record.incarnation;
  }
  const auto moved = moved_since(record.incarnation != 0 ? told(slot) : FlowProgress{}, record);
  if (record.incarnation == 0 && present != 0) add_before(slot, moved);
  Change change{
      .packets = moved.packets, .bytes = moved.bytes, .payload_bytes = moved.payload_bytes};
  change.retransmits =
      static_cast<std::uint32_t>(growth(record.socket.retransmits, retransmits_before));
  change.closed = change_facts(slot, record);
  change.flow = &row(slot);
  if (!change.has_moved()) return change;

  unlink(slot);  // before its flags change: they tell its line
  Flow& flow = writable_row(slot);
  flow.packets += moved.packets;
  flow.bytes += moved.bytes;
  flow.payload_bytes += moved.payload_bytes;
  flow.tcp_flags |= record.tcp_flags;
  flow.ifindex = record.ifindex;
  // A record may come late: one packet's that found the kernel's map full waits in a ring. One that
  // goes on has nothing new to say of the beginning, which whoever gets records knows the flow by:
  // the same moment of the kernel's clock is nanoseconds off each time it is brought to the wall's.
  if (!goes_on) flow.first_seen_ns = std::min(flow.first_seen_ns, record.first_seen_ns);
  flow.last_seen_ns = std::max(flow.last_seen_ns, record.last_seen_ns);
  link_newest(slot);
  change.flow = &flow;
  return change;
}

std::vector<FlowKey> FlowTable::held(const std::function<bool(const FlowKey&)>& wanted) const {
  std::vector<FlowKey> keys;
  for (Slot slot = held_.oldest; slot != kNone;) {
    if (const auto& key = row(slot).key; wanted(key)) keys.push_back(key);
    slot = progress(slot).newer;
  }
  return keys;
}

const Flow* FlowTable::find(const FlowKey& key) const {
  const Slot slot = index_.find(key);
  return slot == kNone ? nullptr : &row(slot);
}

const Flow* FlowTable::other_end(const FlowKey& key, std::uint32_t netns,
                                 std::int64_t began_ns) const {
  const bool local = key.src.is_loopback() || key.dst.is_loopback();
  const Flow* nearest = nullptr;
  index_.for_each_between(key, [&](Slot slot) {
    const auto& flow = row(slot);
    if (flow.key.direction == key.direction || flow.key.socket == key.socket) return;
    if (local && flow.socket.netns != netns) return;
    const auto apart = [&](const Flow& one) { return std::abs(one.first_seen_ns - began_ns); };
    if (nearest == nullptr || apart(flow) < apart(*nearest)) nearest = &flow;
  });
  return nearest;
}

FlowProgress FlowTable::told(const FlowKey& key) const {
  const Slot slot = index_.find(key);
  return slot == kNone ? FlowProgress{} : told(slot);
}

void FlowTable::set_owners(const FlowKey& key, FlowOwnersRef owners) {
  const Slot slot = index_.find(key);
  if (slot != kNone) writable_row(slot).owners = std::move(owners);
}

// --- ends ---

FlowProgress FlowTable::Ended::add_last(const FlowRecord& record) {
  const bool same = record.incarnation == told.incarnation;
  const auto moved = moved_since(same ? told : FlowProgress{}, record);
  flow.packets += moved.packets;
  flow.bytes += moved.bytes;
  flow.payload_bytes += moved.payload_bytes;
  flow.tcp_flags |= record.tcp_flags;
  flow.last_seen_ns = std::max(flow.last_seen_ns, record.last_seen_ns);
  return moved;
}

EndReason FlowTable::reason_to_end(const Flow& flow, std::int64_t now_ns) const {
  const auto silent_ns = now_ns - flow.last_seen_ns;
  if (is_closed(flow) && silent_ns >= limits_.closed_timeout_ns) return EndReason::kClosed;
  if (flow.life == FlowLife::kOpen) return EndReason::kNone;
  if (silent_ns >= limits_.idle_timeout_ns) return EndReason::kIdle;
  return EndReason::kNone;
}

// After a step back, what was seen "later than now" would not end before the clock has caught up,
// and would hold up all that stand behind it in its line.
void FlowTable::follow_clock(std::int64_t now_ns) {
  const bool stepped_back = now_ns < std::exchange(clock_ns_, now_ns);
  if (!stepped_back) return;
  for (const auto* line : {&idling_, &closed_, &held_}) {
    for (Slot slot = line->oldest; slot != kNone; slot = progress(slot).newer) {
      if (row(slot).last_seen_ns <= now_ns) continue;
      Flow& flow = writable_row(slot);
      flow.last_seen_ns = now_ns;
      flow.first_seen_ns = std::min(flow.first_seen_ns, now_ns);
    }
  }
}

std::vector<ToldFlow> FlowTable::due(std::int64_t now_ns, Due which) {
  follow_clock(now_ns);
  std::vector<ToldFlow> flows;
  for (const auto* line : {&idling_, &closed_}) {
    if (line == &idling_ && which == Due::kClosed) continue;
    for (Slot slot = line->oldest; slot != kNone; slot = progress(slot).newer) {
      const auto& flow = row(slot);
      if (reason_to_end(flow, now_ns) == EndReason::kNone) break;
      flows.push_back({.key = flow.key, .told = told(slot), .life = flow.life});
    }
  }
  return flows;
}

std::optional<FlowTable::Ended> FlowTable::end(const FlowKey& key, std::int64_t now_ns) {
  const Slot slot = index_.find(key);
  if (slot == kNone) return std::nullopt;
  const auto reason = reason_to_end(row(slot), now_ns);
  if (reason == EndReason::kNone) return std::nullopt;
  Ended ended{row(slot), reason, told(slot)};
  remove(slot);
  ++expired_;
  return ended;
}

std::vector<FlowTable::Ended> FlowTable::take_evicted() {
  return std::exchange(pushed_out_, {});
}

// --- readers ---

std::shared_ptr<const FlowSnapshot> FlowTable::share() {
  if (!changed_) {
    if (auto last = shared_.lock()) return last;
  }
  changed_ = false;
  auto fresh = std::make_shared<FlowSnapshot>(readers_);
  fresh->pages_.reserve(pages_.size());
  for (const auto& page : pages_) {
    fresh->pages_.push_back(page.used > 0 ? page.rows : nullptr);
  }
  fresh->size_ = index_.size();
  ++share_count_;
  shared_ = fresh;
  return fresh;
}

void FlowTable::tidy() {
  for (auto& page : pages_) {
    if (page.used > 0 || !page.rows) continue;
    page.rows.reset();
    page.progress.reset();
    ++freed_pages_;
  }
  give_back();
}

// malloc keeps what lies between pages in use; a burst's memory would stay with this process.
void FlowTable::give_back() {
  if (freed_pages_ < kPagesToGiveBack) return;
  freed_pages_ = 0;
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace orb8
