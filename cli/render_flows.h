// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>

#include "cli/render_style.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// A table of flows and a line with how many there are and what became of all packets; as JSON, the
// flows alone.
void render_flows(const v1::QueryFlowsResponse& answer, const RenderStyle& style,
                  std::ostream& out);

}  // namespace orb8
