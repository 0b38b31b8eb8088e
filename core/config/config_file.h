// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace orb8 {

struct FileValue {
  std::vector<std::string> values;
  int line = 0;  // counted from 1
};

// A flat YAML map of settings. kInvalid: what is wrong, as "name:line: ...". Unknown and repeated
// keys are wrong too. `name` is what messages call the file.
Result<std::map<std::string, FileValue>> parse_config_file(std::string_view name,
                                                           const std::string& text);

}  // namespace orb8
