// The command line of orb8, parsed and checked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/time_format.h"
#include "cli/time_point.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

enum class Command : unsigned char { kStatus, kFlows, kTraceNetwork, kPods, kVersion, kCompletion };
enum class OutputFormat : unsigned char { kCompact, kTable, kWide, kDict, kJson, kJsonpb };
enum class ColorChoice : unsigned char { kAuto, kAlways, kNever };

// Which part of what has been is asked for.
struct Selectors {
  std::optional<TimePoint> since;
  std::optional<TimePoint> until;
  std::uint32_t last = 0;   // 0: not given
  std::uint32_t first = 0;  // 0: not given
  bool all = false;
  bool follow = false;  // and go on with what happens

  bool any() const { return since || until || last != 0 || first != 0 || all; }
};

struct CliOptions {
  Command command = Command::kStatus;
  std::string command_words;  // as typed: "trace network"

  // Where to ask.
  std::string agent;         // HOST:PORT
  bool agent_named = false;  // by flag or ORB8_AGENT: no falling back to standalone
  bool standalone = false;
  std::chrono::milliseconds connect_timeout{3000};
  std::map<std::string, std::vector<std::string>> settings;  // of standalone mode, by key
  std::optional<std::string> config_file;                    // more of those, but weaker

  OutputFormat output = OutputFormat::kTable;
  ColorChoice color = ColorChoice::kAuto;
  TimeFormat time_format = TimeFormat::kClock;
  bool numeric = false;  // addresses, and no names

  // What to show.
  std::vector<v1::FlowFilter> filters;  // of which one must match; none: everything
  std::vector<std::string> namespaces;  // of pods
  std::vector<std::string> pods;
  std::uint32_t limit = 20;
  v1::SortOrder sort = v1::SORT_ORDER_BYTES;
  std::optional<std::chrono::milliseconds> watch;     // flows: show again every so often
  std::optional<std::chrono::milliseconds> duration;  // trace: how long; standalone: how long first
  bool failed = false;                                // every filter asks for failed connections
  std::optional<std::string> input_file;              // a saved trace instead; "-": standard input
  bool packets = false;
  bool collapse_ports = false;
  Selectors selectors;
  std::vector<v1::GroupBy> group_by;                // flows: groups instead; limit is of groups
  std::optional<std::chrono::milliseconds> window;  // of groups: rates over that time

  std::string shell;  // whose completion script to print
};

// Null when the variable is not set.
using EnvironmentFn = std::function<const char*(const std::string& name)>;

// The options; or, when the run is over already, its exit status and what to print: help to stdout
// (0), or to stderr one line that says what is wrong (2).
struct ParsedOptions {
  std::optional<CliOptions> options;
  int exit_status = 0;
  std::string text;
};

// `arguments` without the program's name.
ParsedOptions parse_cli(const std::vector<std::string>& arguments,
                        const EnvironmentFn& environment);

}  // namespace orb8
