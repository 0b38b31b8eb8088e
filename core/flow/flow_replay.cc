// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_replay.h"

#include <algorithm>
#include <utility>

namespace orb8 {
namespace {

// The earlier; of the same time, the one that began first.
bool is_before(const Flow* a, const Flow* b) {
  if (a->last_seen_ns != b->last_seen_ns) return a->last_seen_ns < b->last_seen_ns;
  return a->first_seen_ns < b->first_seen_ns;
}

Event event_of(const Flow& flow) {
  const auto end = end_of(flow);
  Event event;
  event.kind = end == EndReason::kNone ? EventKind::kFlowUpdate : EventKind::kFlowEnd;
  event.end_reason = end;
  event.flow = flow;
  event.packets = flow.packets;
  event.bytes = flow.bytes;
  event.timestamp_ns = flow.last_seen_ns;
  return event;
}

}  // namespace

FlowReplay::FlowReplay(FlowView view, const FlowMatcher& matcher, const ReplayChoice& choice)
    : view_(std::move(view)) {
  FlowSet(view_, choice.period).for_each([&](const Flow& flow) {
    if (choice.holds_at(flow.last_seen_ns) && matcher.matches(flow)) flows_.push_back(&flow);
  });
  std::ranges::stable_sort(flows_, is_before);
  if (choice.first != 0 && choice.first < flows_.size()) flows_.resize(choice.first);
  if (choice.last != 0 && choice.last < flows_.size()) at_ = flows_.size() - choice.last;
}

std::vector<Event> FlowReplay::next(std::size_t most) {
  const auto end = at_ + std::min(most, flows_.size() - at_);
  std::vector<Event> events;
  events.reserve(end - at_);
  for (; at_ < end; ++at_) events.push_back(event_of(*flows_[at_]));
  if (over()) *this = {};  // lets go of the pages
  return events;
}

}  // namespace orb8
