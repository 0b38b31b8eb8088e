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
    if (setting.list && values.empty()) {
      // Nothing given means "find them", which an empty list would not say.
      out << YAML::Newline
          << YAML::Comment(std::string(setting.key) + ": " + std::string(setting.default_words) +
                           "  # default");
      continue;
    }
    out << YAML::Key << std::string(setting.key) << YAML::Value;
    if (setting.list) {
      out << YAML::Flow << values;
    } else {
      out << values.front();
    }
    const auto found = loaded.origins.find(std::string(setting.key));
    const auto origin = found == loaded.origins.end() ? Origin::kDefault : found->second;
    out << YAML::Comment(std::string(to_words(origin)));
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace orb8
