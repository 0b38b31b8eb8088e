// SPDX-License-Identifier: Apache-2.0
#include "core/config/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <fstream>
#include <sstream>
#include <utility>

#include "core/config/config_file.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ",") + part;
  return all;
}

class Loader {
 public:
  // `named`: the key as the user wrote it.
  Result<void> set(const Setting& setting, const std::vector<std::string>& values,
                   const std::string& named, Origin origin) {
    if (values.empty() || (!setting.list && values.size() > 1) ||
        !setting.set(loaded_.config, values)) {
      return fail(Errc::kInvalid,
                  named + ": '" + join(values) + "' is not allowed; it must be " + setting.allowed);
    }
    loaded_.origins[std::string(setting.key)] = origin;
    return {};
  }

  Result<void> read_file(const std::optional<std::string>& path) {
    const std::string name = path.value_or(kDefaultConfigPath);
    std::ifstream in(name);
    if (!in) {
      const int err = errno;
      if (!path && err == ENOENT) return {};
      return sys_error(err, "read the configuration file " + name);
    }
    std::stringstream text;
    text << in.rdbuf();
    if (in.bad()) return sys_error(errno, "read the configuration file " + name);
    const auto values = parse_config_file(name, text.str());
    if (!values) return std::unexpected(values.error());
    for (const auto& [key, value] : *values) {
      const auto named = fmt::format("{}:{}: {}", name, value.line, key);
      auto ok = set(*find_setting(key), value.values, named, Origin::kFile);
      if (!ok) return ok;
    }
    return {};
  }

  Result<void> read_environment(const ConfigInput& input) {
    if (!input.environment) return {};
    for (const auto& setting : settings()) {
      const std::string variable(setting.variable);
      const char* value = input.environment(variable);
      if (!value) continue;
      const auto values =
          setting.list ? split_list(value) : std::vector<std::string>{std::string(value)};
      if (auto ok = set(setting, values, variable, Origin::kEnvironment); !ok) return ok;
    }
    return {};
  }

  Result<void> read_flags(const ConfigInput& input) {
    for (const auto& [key, values] : input.flags) {
      const auto* setting = find_setting(key);
      if (!setting) return fail(Errc::kInvalid, "no setting is called '" + key + "'");
      if (auto ok = set(*setting, values, flag_of(*setting), Origin::kFlag); !ok) return ok;
    }
    return {};
  }

  LoadedConfig finish() {
    if (loaded_.config.node_name.empty()) {
      std::array<char, HOST_NAME_MAX + 1> name = {};
      ::gethostname(name.data(), name.size() - 1);
      loaded_.config.node_name = name.data();
    }
    return std::move(loaded_);
  }

 private:
  LoadedConfig loaded_;
};

}  // namespace

Result<LoadedConfig> load_config(const ConfigInput& input) {
  Loader loader;
  if (auto ok = loader.read_file(input.file); !ok) return std::unexpected(ok.error());
  if (auto ok = loader.read_environment(input); !ok) return std::unexpected(ok.error());
  if (auto ok = loader.read_flags(input); !ok) return std::unexpected(ok.error());
  return loader.finish();
}

}  // namespace orb8
