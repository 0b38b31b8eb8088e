// Runs a program to its end and takes what it prints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace orb8::k8s {

struct Command {
  std::vector<std::string> argv;  // the first is a path, or a name that is looked for in PATH
  std::vector<std::pair<std::string, std::string>> env;  // on top of this process's own
};

struct CommandLimits {
  std::chrono::milliseconds deadline{30'000};
  std::size_t max_bytes = 1U << 20U;  // of each stream; what is more is dropped
  int cancel_fd = -1;                 // once this is readable, the program is killed
};

struct CommandOutput {
  int exit_status = 0;  // 128 and the signal's number where one ended it
  std::string out;
  std::string err;
};

// The program reads nothing from its standard input. It and what it started are killed when it
// does not end in time. kNotFound: there is no such program.
Result<CommandOutput> run_command(const Command& command, const CommandLimits& limits);

}  // namespace orb8::k8s
