// Settings as command line options.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace orb8 {

// Adds an option for each of `keys` (all settings when empty) to the app, in one help group. Values
// land in `given` by key, unchecked: load_config() checks them like those from elsewhere.
void add_config_flags(CLI::App& app, std::map<std::string, std::vector<std::string>>& given,
                      const std::vector<std::string_view>& keys = {});

}  // namespace orb8
