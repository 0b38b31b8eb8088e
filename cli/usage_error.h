// What is wrong with a command line that CLI11 refused, in one sentence.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace orb8 {

// Own words, as CLI11's differ from version to version and name no way out.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

// "; see orb8 flows --help"
std::string see_help(const CLI::App& app);

}  // namespace orb8
