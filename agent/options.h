// The agent's command line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/config/load.h"

namespace orb8 {

// The configuration to run with, or the exit status of a run that is over: help or version was
// printed (0), or what was wrong (2).
struct Options {
  std::optional<LoadedConfig> loaded;
  int exit_status = 0;
};

Options parse_options(int argc, const char* const* argv);

}  // namespace orb8
