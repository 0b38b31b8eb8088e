// What a run of orb8 takes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace orb8::bench {

// User and system seconds of `orb8 <arguments>`, from its start to its end. What it prints goes to
// /dev/null, and it gets no environment. It must end well.
Result<double> cpu_seconds_of_orb8(std::vector<std::string> arguments);

}  // namespace orb8::bench
