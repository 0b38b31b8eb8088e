// The flags that ask for what has been, and for groups: checked, and each against the others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "cli/command_tree.h"
#include "cli/options.h"
#include "core/base/result.h"

namespace orb8 {

// Puts them into `options`, whose limit, sort and watch are there already. `now_ns`: Unix epoch.
// kInvalid says in one sentence what is wrong.
Result<void> read_history_flags(const RawOptions& raw, std::int64_t now_ns, CliOptions& options);

}  // namespace orb8
