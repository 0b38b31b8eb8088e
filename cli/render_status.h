// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>

#include "cli/render_style.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// The whole status as a page, or as one line of JSON.
void render_status(const v1::AgentStatus& status, const RenderStyle& style, std::ostream& out);

}  // namespace orb8
