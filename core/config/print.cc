// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <string_view>

#include "core/config/load.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

std::string_view to_words(Origin origin) {
  switch (origin) {
    case Origin::kFile:
      return "file";
    case Origin::kEnvironment:
      return "environment";
    case Origin::kFlag:
      return "flag";
    case Origin::kDefault:
      break;
  }
  return "default";
}

}  // namespace

std::string print_config(const LoadedConfig& loaded) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  for (const auto& setting : settings()) {
    const auto values = setting.get(loaded.config);
    const auto found = loaded.origins.find(std::string(setting.key));
    const auto origin = found == loaded.origins.end() ? Origin::kDefault : found->second;
    if (values.empty() || values.front().empty() || setting.secret) {
      // Nothing given means "find them", or "none", which an empty value would not say.
      const bool hidden = !values.empty() && !values.front().empty();
      out << YAML::Newline
          << YAML::Comment(std::string(setting.key) + ": " +
                           (hidden ? "(not shown)" : std::string(setting.default_words)) + "  # " +
                           std::string(to_words(origin)));
      continue;
    }
    out << YAML::Key << std::string(setting.key) << YAML::Value;
    if (setting.list) {
      out << YAML::Flow << values;
    } else {
      out << values.front();
    }
    out << YAML::Comment(std::string(to_words(origin)));
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace orb8
