// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/event_feed.h"

#include <utility>

namespace orb8 {
namespace {

constexpr std::size_t kBatch = 256;  // of what has been

}  // namespace

Result<EventFeed> EventFeed::open(Pipeline& pipeline, StreamQuery query) {
  EventFeed feed;
  const FlowMatcher matcher(query.selection);
  if (query.follow) {
    auto live = pipeline.subscribe(std::move(query.selection), query.packets);
    if (!live) return std::unexpected(live.error());
    feed.live_ = std::move(*live);
  }
  if (!query.history) return feed;
  auto view = pipeline.view(true);
  feed.events_before_ = view.events_before;
  feed.replay_ = FlowReplay(std::move(view), matcher, *query.history);
  return feed;
}

Subscription::Batch EventFeed::next(std::chrono::milliseconds timeout,
                                    const std::stop_token& stop) {
  if (replays()) {
    Subscription::Batch batch;
    batch.events = replay_.next(kBatch);
    batch.ended = !live_ && !replays();
    return batch;
  }
  if (!live_) return {.events = {}, .dropped_before = 0, .ended = true};
  auto batch = live_->next(timeout, stop);
  std::erase_if(batch.events, [&](const Event& event) { return event.number <= events_before_; });
  return batch;
}

}  // namespace orb8
