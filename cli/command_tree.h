// The commands and flags of orb8, as CLI11 sees them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "cli/filter_flags.h"

namespace orb8 {

// What was given, as text: every value of every flag, since giving one twice is a mistake that is
// told afterwards, like values that are not allowed.
struct RawOptions {
  std::map<std::string, std::vector<std::string>> values;  // by flag: "--limit"
  std::map<std::string, std::vector<std::string>> settings;
  std::vector<GivenFilter> filters;  // in their order: see take_filters()
  std::vector<std::string> watch;    // one empty text: given, without a time
  std::vector<std::string> shell;
  bool standalone = false;
  bool packets = false;
  bool collapse_ports = false;
  bool all = false;
  bool follow = false;
  bool numeric = false;
  bool version = false;
};

// Fills `raw`, which outlives the app's parsing.
void build_command_tree(CLI::App& app, RawOptions& raw);

// Fills `raw.filters` from what `command` was given, as it stood.
void take_filters(const CLI::App& command, RawOptions& raw);

// The command at the end of what was parsed: `app` itself when none was given.
const CLI::App& chosen_app(const CLI::App& app);

// "trace network"; empty for the program itself.
std::string command_words(const CLI::App& app);

// All commands right below this one, in the order of their making.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

// The option's name on the command line: "--limit", "shell" for an argument.
std::string flag_name(const CLI::Option& option);

}  // namespace orb8
