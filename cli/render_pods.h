// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>

#include "cli/render_style.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// A table of pods and a line with how many there are; as JSON, the pods alone.
void render_pods(const v1::QueryPodsResponse& answer, const RenderStyle& style, std::ostream& out);

}  // namespace orb8
