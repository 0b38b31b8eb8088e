// What standard output is connected to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

#include "cli/options.h"
#include "cli/render_style.h"

namespace orb8 {

struct ScreenSize {
  std::size_t columns = 0;  // 0: not a terminal, or one that does not say
  std::size_t rows = 0;
};

struct Screen {
  bool terminal = false;
  std::function<ScreenSize()> size = [] { return ScreenSize{}; };  // asked anew: windows change
};

// Of this process. COLUMNS and LINES overrule what the terminal says.
Screen screen_of_stdout(const EnvironmentFn& environment);

// Colour as asked for; if `auto`, on a terminal that can, unless NO_COLOR is set (no-color.org).
RenderStyle style_for(const CliOptions& options, const Screen& screen,
                      const EnvironmentFn& environment);

}  // namespace orb8
