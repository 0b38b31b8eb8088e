// Completion scripts for shells, made of the commands and flags that there are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace orb8 {

// For bash, zsh or fish.
std::string completion_script(const std::string& shell);

}  // namespace orb8
