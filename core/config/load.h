// From flags, environment and file to one checked Config.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"

namespace orb8 {

enum class Origin : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };

struct ConfigInput {
  // By setting key; only those given. A list's values may be repeated or separated by commas.
  std::map<std::string, std::vector<std::string>> flags;
  // Null when the variable is not set.
  std::function<const char*(const std::string& name)> environment;
  // What --config names; it must exist. Without it what ORB8_CONFIG names, which must exist too;
  // without that the default path, if it exists.
  std::optional<std::string> file;
  // The names of all variables there are, to warn of those that mean nothing; see variable_names().
  std::vector<std::string> variables;
};

struct LoadedConfig {
  Config config;
  std::map<std::string, Origin> origins;  // by setting key; missing: the default
  std::vector<std::string> warnings;      // one line each: variables that mean nothing
};

inline constexpr const char* kDefaultConfigPath = "/etc/orb8/config.yaml";

// kInvalid: names the key as the user wrote it, the value, and what is allowed, on one line. A
// value that another one outranks is checked all the same.
Result<LoadedConfig> load_config(const ConfigInput& input);

// Of this process's environment. Not while another thread changes it.
std::vector<std::string> variable_names();

// YAML that load_config() reads back to the same Config, each line with where its value is from.
std::string print_config(const LoadedConfig& loaded);

}  // namespace orb8
