// Does a flow match? A selection, compiled once for all the flows that it is held against.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/flow/flow_filter.h"
#include "core/model/flow.h"

namespace orb8 {

// Of what a filter leaves out nothing is looked at, and what is cheap to look at comes first.
// Copies share what was compiled; any number of threads may ask at once.
class FlowMatcher {
 public:
  FlowMatcher() = default;  // matches everything
  explicit FlowMatcher(const FlowSelection& selection);

  bool matches(const Flow& flow) const { return !compiled_ || matches_compiled(flow); }

 private:
  struct Compiled;

  bool matches_compiled(const Flow& flow) const;

  std::shared_ptr<const Compiled> compiled_;  // null: nothing is asked
};

}  // namespace orb8
