// SPDX-License-Identifier: Apache-2.0
#include "core/config/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/config/settings.h"

namespace orb8 {
namespace {

std::string help_of(const Setting& setting) {
  auto fallback = std::string(setting.default_words);
  for (const auto& value : setting.get(Config{})) {
    if (!setting.default_words.empty()) break;
    fallback += (fallback.empty() ? "" : ",") + value;
  }
  return std::string(setting.help) + " Allowed: " + setting.allowed + ". Default: " + fallback +
         ". (" + std::string(setting.variable) + ")";
}

}  // namespace

void add_config_flags(CLI::App& app, std::map<std::string, std::vector<std::string>>& given,
                      const std::vector<std::string_view>& keys) {
  for (const auto& setting : settings()) {
    if (!keys.empty() && std::ranges::find(keys, setting.key) == keys.end()) continue;
    const std::string key(setting.key);
    app.add_option_function<std::vector<std::string>>(
           flag_of(setting),
           [&given, key](const std::vector<std::string>& values) {
             auto& all = given[key];
             all.insert(all.end(), values.begin(), values.end());
           },
           help_of(setting))
        ->type_name(std::string(setting.value_name))
        // One value for each time the flag is there, however often: load_config() says it if that
        // is too often, in the words of every other error.
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->group("Settings");
  }
}

}  // namespace orb8
