// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <string_view>

#include "core/config/values.h"

namespace orb8 {

RenderStyle style_for_stdout(const CliOptions& options, const EnvironmentFn& environment) {
  RenderStyle style{.output = options.output};
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const char* no_color = environment("NO_COLOR");
  style.color =
      options.color == ColorChoice::kAlways || (options.color == ColorChoice::kAuto && terminal &&
                                                (no_color == nullptr || *no_color == '\0'));
  if (!terminal) return style;
  const char* columns = environment("COLUMNS");
  if (const auto width = parse_unsigned(columns ? columns : ""); width && *width > 0) {
    style.terminal_width = *width;
    return style;
  }
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) style.terminal_width = size.ws_col;
  return style;
}

}  // namespace orb8
