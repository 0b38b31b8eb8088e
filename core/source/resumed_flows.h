// Flows that the table forgot while their socket lives: where they go on from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "core/model/flow.h"
#include "core/source/living_sockets.h"

namespace orb8 {

class ResumedFlows {
 public:
  void add(const ToldFlow& flow);

  // Takes off the record what was told before its flow was forgotten.
  void take_off(FlowRecord& record);

  // The last record of a socket may be lost: what is not of these sockets is over.
  void keep_only(const LivingSockets& living);

  std::size_t size() const noexcept { return flows_.size(); }

 private:
  std::unordered_map<FlowKey, FlowProgress, FlowKeyHash> flows_;
};

}  // namespace orb8
