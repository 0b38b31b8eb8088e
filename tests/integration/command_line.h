// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <string>

#include "tests/integration/process.h"

namespace orb8::integration {

// A command from its words as one types them: "trace network -o json".
inline Command command_line(const std::string& words) {
  Command command;
  std::istringstream in(words);
  for (std::string word; in >> word;) command.arguments.push_back(word);
  return command;
}

}  // namespace orb8::integration
