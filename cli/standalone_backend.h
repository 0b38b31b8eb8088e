// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cli/backend.h"
#include "core/config/config.h"

namespace orb8 {

// The agent's pipeline in this process. kDenied: it needs root.
Result<std::unique_ptr<Backend>> start_standalone(const Config& config);

}  // namespace orb8
