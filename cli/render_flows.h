// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>

#include "cli/render_style.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// A table of flows and its footer; in any other format the flows alone.
void render_flows(const v1::QueryFlowsResponse& answer, const RenderStyle& style,
                  std::ostream& out);

// How many there are, and what became of all packets: "20 of 41 flows (--limit shows more); ...".
std::string flows_footer(const v1::QueryFlowsResponse& answer);

}  // namespace orb8
