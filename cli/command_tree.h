// The commands and flags of orb8, as CLI11 sees them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace orb8 {

// What was given, as text, by flag; values are checked afterwards.
struct RawOptions {
  std::string agent;
  bool standalone = false;
  std::string mode;
  std::string output;
  std::string color;
  std::string connect_timeout;
  std::vector<std::string> namespaces;
  std::vector<std::string> pods;
  std::vector<std::string> ips;
  std::vector<std::string> ports;
  std::vector<std::string> protocols;
  std::vector<std::string> directions;
  std::string limit;
  std::string sort;
  std::vector<std::string> watch;  // zero or one value
  bool watching = false;
  std::string duration;
  bool packets = false;
  std::string shell;
  std::map<std::string, std::vector<std::string>> settings;
};

// Fills `raw` when the app parses.
void build_command_tree(CLI::App& app, RawOptions& raw);

// The command chosen, as words: "trace network"; empty when none was.
std::string chosen_command(const CLI::App& app);

}  // namespace orb8
