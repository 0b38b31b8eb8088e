// Text to values, strictly: the whole text, or nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orb8 {

// A decimal number without sign, blanks or anything behind it.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// The same with an optional binary unit: "65536", "64K", "1M", "1MiB".
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace orb8
