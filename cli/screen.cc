// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <string_view>

#include "core/config/values.h"

namespace orb8 {
namespace {

std::string_view value_of(const EnvironmentFn& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

Screen screen_of_stdout(const EnvironmentFn& environment) {
  if (::isatty(STDOUT_FILENO) != 1) return {};
  const ScreenSize fixed = {.columns = parse_unsigned(value_of(environment, "COLUMNS")).value_or(0),
                            .rows = parse_unsigned(value_of(environment, "LINES")).value_or(0)};
  return {.terminal = true, .size = [fixed] {
            winsize window = {};
            if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0) window = {};
            return ScreenSize{.columns = fixed.columns != 0 ? fixed.columns : window.ws_col,
                              .rows = fixed.rows != 0 ? fixed.rows : window.ws_row};
          }};
}

RenderStyle style_for(const CliOptions& options, const Screen& screen,
                      const EnvironmentFn& environment) {
  const bool plain =
      !value_of(environment, "NO_COLOR").empty() || value_of(environment, "TERM") == "dumb";
  return {.output = options.output,
          .color = options.color == ColorChoice::kAlways ||
                   (options.color == ColorChoice::kAuto && screen.terminal && !plain),
          .terminal_width = screen.size().columns,
          .time_format = options.time_format,
          .failures = options.failed,
          .numeric = options.numeric};
}

}  // namespace orb8
