// The whole of orb8 but for signals.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/options.h"

namespace orb8 {

struct Surroundings {
  EnvironmentFn environment;
  std::ostream& out;
  std::ostream& err;
  std::stop_token stop;
};

// Returns the exit status. `arguments` without the program's name.
int run(const std::vector<std::string>& arguments, const Surroundings& around);

}  // namespace orb8
