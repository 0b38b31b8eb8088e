// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/render_style.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// A table of groups with a column for each of what they are grouped by, and a line with what there
// is beyond; as JSON, the groups alone. With `seconds` that they tell of, rates over them: 0, sums.
void render_groups(const v1::QueryFlowsResponse& answer, const std::vector<v1::GroupBy>& by,
                   double seconds, const RenderStyle& style, std::ostream& out);

// "3 of 12 groups (--top shows more) of 40 flows; ..."
std::string groups_footer(const v1::QueryFlowsResponse& answer, double seconds);

}  // namespace orb8
