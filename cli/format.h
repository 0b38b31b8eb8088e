// Numbers, times and endpoints as a person reads them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orb8/v1/agent.pb.h"

namespace orb8 {

// "0 B", "1023 B", "1.0 KiB", "1.2 MiB"
std::string human_bytes(std::uint64_t bytes);

// "1,234,567"
std::string human_count(std::uint64_t count);

// "850 bit/s", "1.2 Mbit/s": as link speeds are given.
std::string human_bit_rate(std::uint64_t bytes, double seconds);

// "4s", "3m12s", "2h05m", "3d04h"
std::string human_duration(std::int64_t seconds);

// "30s", "1m30s", "500ms", "2h"; a bare number is in seconds. Nothing for anything else, or zero.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// Local "15:04:05.123".
std::string clock_time(std::int64_t unix_ns);

// "10.0.0.1:80", "[2001:db8::1]:80", or the address alone for a protocol without ports.
std::string source_of(const v1::NetworkFlow& flow);
std::string source_of(const v1::NetworkEvent& event);
std::string destination_of(const v1::NetworkFlow& flow);
std::string destination_of(const v1::NetworkEvent& event);

// "TCP", or for ICMP the type's name: "ICMP echo-request", "ICMPv6 type 200".
std::string protocol_of(const v1::NetworkFlow& flow);
std::string protocol_of(const v1::NetworkEvent& event);

// tcpdump's letters: "S", "S.", "FP.", "R"; "" for none.
std::string tcp_flag_letters(std::uint32_t flags);

// Control characters as \xNN: names come from elsewhere, and a terminal obeys them.
std::string printable(std::string_view text);

// Of UTF-8 text: what it occupies on a terminal (code points, which is right for what we print).
std::size_t display_width(std::string_view text);

// The text with its middle replaced by "…", if it is wider.
std::string shorten_middle(const std::string& text, std::size_t width);

}  // namespace orb8
