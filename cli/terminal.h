// What standard output is connected to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"
#include "cli/render.h"

namespace orb8 {

// The terminal's width, from COLUMNS or the terminal itself; colour as asked, or on a terminal
// unless NO_COLOR is set (no-color.org).
RenderStyle style_for_stdout(const CliOptions& options, const EnvironmentFn& environment);

}  // namespace orb8
