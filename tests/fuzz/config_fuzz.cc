// The configuration file: whatever is in it, it is refused in one line, or it is taken and printing
// what was taken gives a file that means the same.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/config/config_file.h"
#include "core/config/load.h"
#include "core/config/settings.h"

namespace {

// The part of load_config() that a file decides; nothing where a value is not allowed.
std::optional<orb8::Config> config_of(const std::string& text) {
  const auto values = orb8::parse_config_file("fuzz.yaml", text);
  if (!values) {
    const std::string_view what = values.error().what;
    if (!what.starts_with("fuzz.yaml:") || what.find('\n') != std::string_view::npos) std::abort();
    return std::nullopt;
  }
  orb8::Config config;
  for (const auto& [key, value] : *values) {
    const auto* setting = orb8::find_setting(key);
    if (!setting || value.line < 1) std::abort();
    if (!setting->list && value.values.size() != 1) std::abort();
    if (!setting->set(config, value.values)) return std::nullopt;
  }
  if (config.node_name.empty()) config.node_name = "node-1";
  return config;
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  const auto config = config_of(std::string(reinterpret_cast<const char*>(data), size));
  if (!config) return 0;
  const auto printed = orb8::print_config({.config = *config, .origins = {}, .warnings = {}});
  if (config_of(printed) != config) std::abort();
  return 0;
}
