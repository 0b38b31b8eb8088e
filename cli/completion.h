// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace orb8 {

// A completion script for bash, zsh or fish, made of the commands and flags that there are.
std::string completion_script(const std::string& shell);

}  // namespace orb8
