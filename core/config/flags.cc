// SPDX-License-Identifier: Apache-2.0
#include "core/config/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/config/settings.h"

namespace orb8 {

void add_config_flags(CLI::App& app, std::map<std::string, std::vector<std::string>>& given,
                      const std::vector<std::string_view>& keys) {
  for (const auto& setting : settings()) {
    if (!keys.empty() && std::ranges::find(keys, setting.key) == keys.end()) continue;
    const std::string key(setting.key);
    const auto help = std::string(setting.help) + " Allowed: " + setting.allowed + ". (" +
                      std::string(setting.variable) + ")";
    app.add_option_function<std::vector<std::string>>(
           flag_of(setting),
           [&given, key](const std::vector<std::string>& values) {
             auto& all = given[key];
             all.insert(all.end(), values.begin(), values.end());
           },
           help)
        ->type_name(setting.list ? "NAME ..." : "VALUE")
        ->allow_extra_args(false)
        ->group("Settings");
  }
}

}  // namespace orb8
