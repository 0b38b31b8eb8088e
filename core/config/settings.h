// The one table of settings: their names, bounds and meaning. Flags, environment, file,
// --print-config and docs/CONFIG.md all come from it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"

namespace orb8 {

struct Setting {
  std::string_view key;       // in the file: "grpc_port"; the flag is "--grpc-port"
  std::string_view variable;  // "ORB8_GRPC_PORT"
  std::string allowed;        // in words: "a number from 0 to 65535"
  std::string_view help;
  std::string_view value_name;     // in a flag's help: "PORT"
  std::string_view default_words;  // where the default is not a value: "the host's name"
  bool list = false;               // takes several values
  bool secret = false;             // its value is shown nowhere
  // False: a value that is not allowed, and nothing was changed. A list's values replace those
  // before, any other setting takes exactly one.
  std::function<bool(Config&, const std::vector<std::string>&)> set;
  std::function<std::vector<std::string>(const Config&)> get;
};

std::span<const Setting> settings();

// ORB8_* variables that something else reads.
std::span<const std::string_view> other_variables();
const Setting* find_setting(std::string_view key);

// "--grpc-port"
std::string flag_of(const Setting& setting);

// The known word most like this one, for "did you mean"; empty when none is.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace orb8
