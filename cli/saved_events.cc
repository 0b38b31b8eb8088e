// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_events.h"

namespace orb8 {

bool SavedEvents::take(const v1::NetworkEvent& event) {
  if (!choice_.holds_at(event.timestamp_ns())) return true;
  if (choice_.last != 0) {
    latest_.push_back(event);
    if (latest_.size() <= choice_.last) return true;
    const auto lost = latest_.front().dropped_before();
    latest_.pop_front();
    latest_.front().set_dropped_before(latest_.front().dropped_before() + lost);
    return true;
  }
  ++told_;
  return on_event_(event) && told_ != choice_.first;
}

void SavedEvents::finish() {
  for (const auto& event : latest_) {
    if (!on_event_(event)) return;
  }
}

}  // namespace orb8
