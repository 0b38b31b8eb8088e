// From flags, environment and file to one checked Config.
// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  std::map<std::string, std::vector<std::string>> flags;  // by setting key; only those given
  // Null when the variable is not set.
  std::function<const char*(const std::string& name)> environment;
  std::optional<std::string> file;  // must exist; otherwise the default path, if it exists
};

struct LoadedConfig {
  Config config;
  std::map<std::string, Origin> origins;  // by setting key; missing: the default
};

inline constexpr const char* kDefaultConfigPath = "/etc/orb8/config.yaml";

// kInvalid: names the key as the user wrote it, the value, and what is allowed.
Result<LoadedConfig> load_config(const ConfigInput& input);

// YAML that load_config() reads back to the same Config, each line with where its value is from.
std::string print_config(const LoadedConfig& loaded);

}  // namespace orb8
