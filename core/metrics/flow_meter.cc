// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/flow_meter.h"

#include <netinet/in.h>

#include <utility>

#include "core/model/verdict.h"

namespace orb8 {
namespace {

std::uint8_t first_parts(const Flow& flow, Direction direction) {
  const bool sent_by_tcp = flow.key.protocol == IPPROTO_TCP && direction == Direction::kEgress;
  return kPartTraffic | (sent_by_tcp ? kPartRetransmits : 0);
}

const std::string& uid_of(const EndpointRef& endpoint) {
  static const std::string none;
  return endpoint && endpoint->kind == EndpointKind::kPod ? endpoint->uid : none;
}

Outcome outcome_of(const Flow& flow) {
  if (has_verdict(flow, Verdict::kReset)) return Outcome::kReset;
  return has_verdict(flow, Verdict::kEstablished) ? Outcome::kEstablished : Outcome::kFailed;
}

}  // namespace

FlowMeter::FlowMeter(Options options)
    : options_(std::move(options)), readers_(std::make_shared<std::atomic<std::uint32_t>>(0)) {
  while (pages_.size() * MeterPage::kRows < kOthers) add_page();
  std::erase_if(free_, [](Slot slot) { return slot < kOthers; });
}

// --- counting ---

void FlowMeter::add(const Flow& flow, const Moved& moved) {
  const auto direction = flow.key.direction;
  const auto slot = slot_of(flow, direction);
  auto& sums = counters(slot);
  sums.bytes += moved.bytes;
  sums.packets += moved.packets;
  if (flow.key.protocol != IPPROTO_TCP || direction != Direction::kEgress) return;
  sums.retransmits += moved.retransmits;
  const auto rtt_us = flow.socket.rtt_us;
  if (moved.packets == 0 || rtt_us == 0) return;
  auto& times = counters(with_part(slot, kPartRtt, flow, direction));
  times.rtt_sum_us += rtt_us;
  ++times.rtt[rtt_bucket(rtt_us)];
}

void FlowMeter::add_connection(const Flow& flow) {
  const bool from_outside = flow.socket.role == Role::kServer;
  const auto direction = from_outside ? Direction::kIngress : Direction::kEgress;
  const auto slot = with_part(slot_of(flow, direction), kPartConnections, flow, direction);
  ++counters(slot).connections[std::to_underlying(outcome_of(flow))];
}

FlowMeter::Slot FlowMeter::slot_of(const Flow& flow, Direction direction) {
  if (const auto* place = cache_.find(flow, direction)) {
    const auto slot = place->slot;
    if (auto& known = state(slot); known.serial == place->serial) {
      if (known.used_ns != now_ns_) touch(slot);
      return slot;
    }
  }
  const auto slot = find_or_add(flow, direction);
  cache_.put(flow, direction, {.slot = slot, .serial = state(slot).serial});
  touch(slot);
  return slot;
}

FlowMeter::Slot FlowMeter::find_or_add(const Flow& flow, Direction direction) {
  auto labels = label_set(flow, direction, options_.own);
  auto found = index_.find(labels);
  if (found == index_.end()) {
    const auto parts = first_parts(flow, direction);
    if (!make_room(series_of(parts), kNone)) {
      folded_ += series_of(parts);
      return other(direction, meter_protocol(flow.key.protocol));
    }
    const auto slot = take_slot();
    auto& fresh = writable(slot);
    fresh = {.labels = std::make_shared<const LabelSet>(std::move(labels)),
             .start_ns = wall_ns_,
             .counters = {},
             .parts = parts};
    series_ += series_of(parts);
    auto& about = state(slot);
    about.direction = direction;
    about.protocol = meter_protocol(flow.key.protocol);
    link_newest(slot);
    found = index_.emplace(*fresh.labels, slot).first;
  }
  auto& about = state(found->second);
  about.own_uid = uid_of(own_side(flow));
  about.peer_uid = uid_of(peer_side(flow));
  return found->second;
}

FlowMeter::Slot FlowMeter::other(Direction direction, MeterProtocol protocol) {
  const auto slot =
      static_cast<Slot>(std::to_underlying(protocol) * 2U + std::to_underlying(direction));
  if (!row(slot).labels) {
    auto& fresh = writable(slot);
    fresh.labels =
        std::make_shared<const LabelSet>(other_label_set(direction, protocol, options_.own));
    fresh.start_ns = wall_ns_;
    fresh.parts = kPartTraffic;
    if (protocol == MeterProtocol::kTcp) {
      fresh.parts |= kPartConnections;
      if (direction == Direction::kEgress) fresh.parts |= kPartRetransmits | kPartRtt;
    }
  }
  return slot;
}

// The row that has room for what is to be counted next.
FlowMeter::Slot FlowMeter::with_part(Slot slot, MeterPart part, const Flow& flow,
                                     Direction direction) {
  if ((row(slot).parts & part) != 0) return slot;
  auto& refused = state(slot).refused;
  if (!make_room(series_of(part), slot)) {
    if ((refused & part) == 0) folded_ += series_of(part);
    refused |= part;
    return other(direction, meter_protocol(flow.key.protocol));
  }
  refused &= ~part;
  writable(slot).parts |= part;
  series_ += series_of(part);
  return slot;
}

// --- rows ---

const MeterRow& FlowMeter::row(Slot slot) const {
  return pages_[slot / MeterPage::kRows].rows->rows[slot % MeterPage::kRows];
}

FlowMeter::State& FlowMeter::state(Slot slot) {
  return (*pages_[slot / MeterPage::kRows].states)[slot % MeterPage::kRows];
}

MeterRow& FlowMeter::writable(Slot slot) {
  auto& page = pages_[slot / MeterPage::kRows];
  if (page.written <= share_count_) {
    if (readers_->load() != 0) page.rows = std::make_shared<MeterPage>(*page.rows);
    page.written = share_count_ + 1;
  }
  return page.rows->rows[slot % MeterPage::kRows];
}

MeterCounters& FlowMeter::counters(Slot slot) {
  auto& sums = writable(slot).counters;
  auto& about = state(slot);
  if (about.shown_at != share_count_) {  // the first change since it was shown
    about.shown_at = share_count_;
    about.shown = sums;
  }
  return sums;
}

void FlowMeter::add_page() {
  const auto first = static_cast<Slot>(pages_.size() * MeterPage::kRows);
  pages_.push_back({.rows = std::make_shared<MeterPage>(),
                    .states = std::make_unique<std::array<State, MeterPage::kRows>>(),
                    .written = share_count_ + 1});
  for (Slot i = MeterPage::kRows; i > 0; --i) free_.push_back(first + i - 1);
}

FlowMeter::Slot FlowMeter::take_slot() {
  if (free_.empty()) add_page();
  const auto slot = free_.back();
  free_.pop_back();
  auto& about = state(slot);
  about.shown = {};
  about.shown_at = share_count_;
  about.refused = 0;
  return slot;
}

// --- who goes ---

bool FlowMeter::make_room(std::size_t series, Slot keep) {
  while (series_ + series > options_.max_series) {
    if (oldest_ == kNone || oldest_ == keep) return false;
    if (now_ns_ - state(oldest_).used_ns < kMayFoldAfterNs) return false;
    folded_ += series_of(row(oldest_).parts);
    end(oldest_);
  }
  return true;
}

// What is unseen goes to `other`, so that it is in somebody's increase.
void FlowMeter::end(Slot slot) {
  const MeterRow ending = row(slot);  // its page may be copied on the way
  auto& about = state(slot);
  if (about.shown_at == share_count_) {
    counters(other(about.direction, about.protocol)) += ending.counters - about.shown;
  }
  series_ -= series_of(ending.parts);
  index_.erase(*ending.labels);
  unlink(slot);
  ++about.serial;
  writable(slot) = {};
  free_.push_back(slot);
}

void FlowMeter::expire(const GoneFn& gone) {
  const auto is_gone = [&](const std::string& uid) { return !uid.empty() && gone(uid); };
  for (Slot slot = oldest_; slot != kNone;) {
    const auto& about = state(slot);
    if (now_ns_ - about.used_ns < options_.grace_ns) break;
    const auto next = about.newer;
    if (is_gone(about.own_uid) || is_gone(about.peer_uid)) {
      expired_ += series_of(row(slot).parts);
      end(slot);
    }
    slot = next;
  }
  cache_.clear();
}

// Once for each time that was set: the order within is of no matter, and this costs three lines of
// memory. `other` is in no line, as it never goes.
void FlowMeter::touch(Slot slot) {
  state(slot).used_ns = now_ns_;
  if (slot < kOthers || newest_ == slot) return;
  unlink(slot);
  link_newest(slot);
}

void FlowMeter::link_newest(Slot slot) {
  auto& links = state(slot);
  links.older = newest_;
  links.newer = kNone;
  (newest_ == kNone ? oldest_ : state(newest_).newer) = slot;
  newest_ = slot;
}

void FlowMeter::unlink(Slot slot) {
  const auto& links = state(slot);
  (links.older == kNone ? oldest_ : state(links.older).newer) = links.newer;
  (links.newer == kNone ? newest_ : state(links.newer).older) = links.older;
}

// --- readers ---

std::shared_ptr<const MeterSnapshot> FlowMeter::share() {
  std::vector<std::shared_ptr<const MeterPage>> pages;
  pages.reserve(pages_.size());
  for (const auto& page : pages_) pages.push_back(page.rows);
  ++share_count_;
  return std::make_shared<const MeterSnapshot>(std::move(pages), readers_);
}

}  // namespace orb8
