// Timestamps as texts: what Kubernetes' API and our own JSON have.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace orb8 {

// "2026-11-24T02:47:39Z", "2026-11-24T02:47:39.123456+01:00": nanoseconds since the Unix epoch.
// Absent when it is no time, or none that 64 bits hold (years 1678 to 2262).
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace orb8
