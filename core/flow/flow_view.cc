// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_view.h"

namespace orb8 {

void FlowSet::for_each(const std::function<void(const Flow&)>& visit) const {
  for (const auto& flow : saved_) {
    if (period_.holds(flow)) visit(flow);
  }
  if (live_ != nullptr) {
    live_->for_each([&](const Flow& flow) {
      if (period_.holds(flow)) visit(flow);
    });
  }
  if (history_ == nullptr) return;
  history_->for_each([&](const EndedFlow& ended) {
    if (ended.ended_ns >= period_.ended_since_ns && period_.holds(ended.flow)) visit(ended.flow);
  });
}

}  // namespace orb8
