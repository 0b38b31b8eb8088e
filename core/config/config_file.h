// The configuration file: a flat YAML map of settings.
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

// All of the file's text, 1 MiB at most. A pipe will do.
Result<std::string> read_config_text(const std::string& path);

// By key. kInvalid: what is wrong, as "name:line: ..." on one line. Unknown and repeated keys are
// wrong too, and so is a second document, of which nothing would be read. `name` is what messages
// call the file.
Result<std::map<std::string, FileValue>> parse_config_file(std::string_view name,
                                                           const std::string& text);

}  // namespace orb8
