// The whole of orb8 but for signals.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/screen.h"

namespace orb8 {

struct Surroundings {
  EnvironmentFn environment;
  std::vector<std::string> variables;  // the names of all there are
  std::ostream& out;
  std::ostream& err;
  bool err_terminal = false;  // a person waits there
  Screen screen;
  std::stop_token stop;  // SIGINT, SIGTERM, or nobody reads `out` any more
  std::function<bool()> reader_gone = [] { return false; };
};

// Returns the exit status. `arguments` without the program's name.
int run(const std::vector<std::string>& arguments, const Surroundings& around);

}  // namespace orb8
