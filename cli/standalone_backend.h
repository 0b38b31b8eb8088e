// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/backend.h"
#include "cli/options.h"

namespace orb8 {

struct StandaloneOptions {
  std::map<std::string, std::vector<std::string>> settings;  // from flags, by key
  std::optional<std::string> config_file;                    // what --config names
  EnvironmentFn environment;
  std::vector<std::string> variables;                // the names of all there are
  std::function<void(const std::string&)> warn;      // of a line that is no reason to give up
  std::function<void(const std::string&)> progress;  // told before what takes a while
  std::string command;  // "trace network": for the advice to run it as root
};

// The agent's pipeline in this process. kDenied: it needs root; kInvalid: a setting is wrong.
Result<std::unique_ptr<Backend>> start_standalone(const StandaloneOptions& options);

}  // namespace orb8
