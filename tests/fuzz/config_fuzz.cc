// The configuration file: whatever is in it, it is refused in one line or taken for good.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/config/config_file.h"
#include "core/config/settings.h"

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto values = orb8::parse_config_file("fuzz.yaml", text);
  if (!values) {
    if (!values.error().what.starts_with("fuzz.yaml:")) std::abort();
    return 0;
  }
  for (const auto& [key, value] : *values) {
    const auto* setting = orb8::find_setting(key);
    if (!setting || value.line < 1) std::abort();
    orb8::Config config;
    // What a setting takes, it gives back in a form that it takes again.
    if (value.values.empty() || !setting->set(config, value.values)) continue;
    if (!setting->set(config, setting->get(config))) std::abort();
  }
  return 0;
}
