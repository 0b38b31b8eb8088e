// The events of a saved trace that are chosen by their time or number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>

#include "cli/backend.h"
#include "core/flow/flow_replay.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

class SavedEvents {
 public:
  SavedEvents(const ReplayChoice& choice, Backend::EventFn on_event)
      : choice_(choice), on_event_(std::move(on_event)) {}

  // The next event that matches otherwise. False: enough.
  bool take(const v1::NetworkEvent& event);

  // There are no more: what was held back, since it might have been the last, is told.
  void finish();

 private:
  ReplayChoice choice_;
  Backend::EventFn on_event_;
  std::uint32_t told_ = 0;
  std::deque<v1::NetworkEvent> latest_;
};

}  // namespace orb8
