// What moved between two answers, group by group.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "core/base/result.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

struct GroupRates {
  // The groups in which something moved, their sums of that time alone, from first_seen_ns to
  // last_seen_ns; `most` of them in the order of `sort`, and the others as one.
  v1::QueryFlowsResponse moved;
  double seconds = 0;          // between the two, by the agent's clock
  std::size_t renamed = 0;     // groups that lost a flow to another, as its owner became known
  bool history_lacks = false;  // flows ended meanwhile that the agent does not remember
};

// `before` has all flows alive, `after` those and the ones that ended since. kExhausted: an answer
// did not hold all groups.
Result<GroupRates> group_rates(const v1::QueryFlowsResponse& before,
                               const v1::QueryFlowsResponse& after, v1::SortOrder sort,
                               std::size_t most);

}  // namespace orb8
