// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "cli/backend.h"

namespace orb8 {

// An agent by gRPC. `target` is HOST:PORT. kUnavailable: nothing there that speaks gRPC answered in
// time.
Result<std::unique_ptr<Backend>> connect_to_agent(const std::string& target,
                                                  std::chrono::milliseconds deadline);

}  // namespace orb8
