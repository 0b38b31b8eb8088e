// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>

#include "cli/render_style.h"
#include "cli/seen_flows.h"

namespace orb8 {

// A table of the `most` flows that moved most, with their share of all bytes; nothing when nothing
// moved. For a person: JSON has no such table.
void render_talkers(const SeenFlows& seen, std::size_t most, const RenderStyle& style,
                    std::ostream& out);

}  // namespace orb8
