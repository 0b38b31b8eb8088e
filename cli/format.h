// Numbers, times and foreign text as a person reads them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orb8 {

// "0 B", "1023 B", "1.0 KiB", "1.2 MiB"
std::string human_bytes(std::uint64_t bytes);

// "1,234,567"
std::string human_count(std::uint64_t count);

// "1 flow", "2,000 flows"
std::string count_of(std::uint64_t count, std::string_view thing);

// "850 bit/s", "1.2 Mbit/s": as link speeds are given. "-" for a time of 0.
std::string human_bit_rate(std::uint64_t bytes, double seconds);

// "4s", "3m12s", "2h05m", "3d04h"
std::string human_duration(std::int64_t seconds);

// For "every 500ms", "for 3s", "for 1.5s".
std::string short_duration(std::chrono::milliseconds time);

// "30s", "1m30s", "500ms", "2h"; a bare number is in seconds. Nothing for anything else, or zero.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The same, and with "250us".
std::optional<std::chrono::microseconds> parse_fine_duration(std::string_view text);

// "350us", "1.2ms", "3.0s": as round-trip times are given.
std::string human_micros(std::uint64_t micros);

// What a terminal would obey, or cannot show, as \xNN: control characters, those of C1 too, and
// bytes that are no UTF-8. Names come from elsewhere.
std::string printable(std::string_view text);

// Of UTF-8 text: what it occupies on a terminal (code points, which is right for what we print).
std::size_t display_width(std::string_view text);

// The text with its middle replaced by "…", if it is wider.
std::string shorten_middle(const std::string& text, std::size_t width);

// The text's beginning, at most `width` wide.
std::string cut(const std::string& text, std::size_t width);

}  // namespace orb8
