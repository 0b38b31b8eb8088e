// The page that --help prints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace orb8 {

// The page of a command, or of the program itself. Lines have at most 90 columns.
std::string help_page(const CLI::App& command);

}  // namespace orb8
